// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { step } from '@myelin/kit/turn'
import { isObject, member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '../engine/database.ts'
import { prepared, preparedList } from '../engine/prepared.ts'
import { EVENT_STATUS } from '../rooms/events/events.ts'
import type { Bytes, Nid } from '../schema/schema.ts'

/** An event whose text can be found, or a redaction. */
export interface SearchableEvent {
  readonly nid: Nid
  readonly roomNid: Nid
  readonly senderNid: Nid
  readonly originServerTs: number
  readonly type: string
  readonly isState: boolean
  readonly content: JsonObject
  /** The event that a redaction names. */
  readonly redacts: EventId | undefined
}

/** The estimated cost of parsing an event, and of each byte of it. */
const PARSE_COST_US = 5
const BYTE_COST_US = 0.01

/** The most numbers that are looked at in one statement. */
export const NIDS_AT_ONCE = 1_024

/**
 * Returns the events with numbers after one and up to another whose text can be found, and the redactions among them. Redacted
 * and rejected events and those without a place in the timeline are left out.
 *
 * @param upTo at most {@link NIDS_AT_ONCE} above `after`
 */
export async function searchableEvents(db: Read, after: Nid, upTo: Nid): Promise<SearchableEvent[]> {
  return parsed(db, await rowsBetween(db, after, upTo))
}

/** Returns such events by number. */
export async function searchableByNid(db: Read, nids: readonly Nid[]): Promise<SearchableEvent[]> {
  return parsed(db, await rowsOf(db, nids))
}

async function parsed(db: Read, rows: readonly Row[]): Promise<SearchableEvent[]> {
  const events: SearchableEvent[] = []
  for (const row of rows) {
    events.push(searchableEvent(db, row))
    await step(PARSE_COST_US + row.pdu.length * BYTE_COST_US)
  }
  return events
}

/** Returns the numbers of events that are to be looked at again, at most `limit`. */
export async function eventsDue(db: Read, limit: number): Promise<Nid[]> {
  const rows = await db.selectFrom('search_due').select('event_nid').orderBy('event_nid').limit(limit).execute()
  return rows.map((row) => row.event_nid)
}

// The redactions are needed to remove an event that was redacted while it was being indexed.
const TYPES = ['m.room.message', 'm.room.name', 'm.room.topic', 'm.room.redaction'] as const

const candidates = (db: Read) =>
  db
    .selectFrom('events')
    .select(['event_nid', 'room_nid', 'sender_nid', 'origin_server_ts', 'type', 'state_key', 'pdu'])
    .where('type', 'in', TYPES)
    .where('position', 'is not', null)
    .where('status', '=', EVENT_STATUS.accepted)
    .where('redacted_by', 'is', null)

const rowsBetween = prepared((db, after: Nid, upTo: Nid) =>
  candidates(db).where('event_nid', '>', after).where('event_nid', '<=', upTo).orderBy('event_nid'),
)

const rowsOf = preparedList((db, nids: readonly Nid[]) => candidates(db).where('event_nid', 'in', nids))

interface Row {
  readonly event_nid: Nid
  readonly room_nid: Nid
  readonly sender_nid: Nid
  readonly origin_server_ts: number
  readonly type: string
  readonly state_key: string | null
  readonly pdu: Bytes
}

const decoder = new TextDecoder()

/** The event is not put into the caches: a database that is indexed as a whole would evict everything else. */
function searchableEvent(db: Read, row: Row): SearchableEvent {
  const json = db.caches.pdus.get(row.event_nid)?.pdu.json ?? (JSON.parse(decoder.decode(row.pdu)) as JsonObject)
  const content = member(json, 'content')
  const own = isObject(content) ? content : {}
  const redacts = member(json, 'redacts') ?? member(own, 'redacts')
  return {
    nid: row.event_nid,
    roomNid: row.room_nid,
    senderNid: row.sender_nid,
    originServerTs: row.origin_server_ts,
    type: row.type,
    isState: row.state_key !== null,
    content: own,
    redacts: row.type === 'm.room.redaction' && typeof redacts === 'string' ? (redacts as EventId) : undefined,
  }
}
