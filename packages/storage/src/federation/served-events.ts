// SPDX-License-Identifier: Apache-2.0
import { mapInTurns } from '@myelin/kit/turn'
import type { EventId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read } from '../engine/database.ts'
import { eventIdOf } from '../rooms/events/event-ids.ts'
import type { Nid } from '../schema/schema.ts'

/** An event as it came over the wire: the text keeps every spelling that its hash covers. */
export interface ServedEvent {
  readonly nid: Nid
  readonly id: EventId
  readonly text: string
  readonly isRedacted: boolean
}

// The estimated cost of a row.
const ROW_COST_US = 2

const decoder = new TextDecoder()

/** Returns the wire form of events, in the order asked; rejected ones are left out. */
export async function servedEvents(db: Read, nids: readonly Nid[]): Promise<ServedEvent[]> {
  const rows = await inChunks([...new Set(nids)], (chunk) =>
    db
      .selectFrom('events')
      .select(['event_nid', 'event_id', 'redacted_by', 'pdu'])
      .where('event_nid', 'in', chunk)
      .where('status', '<', 2)
      .execute(),
  )
  const served = new Map(
    rows.map((row) => [
      row.event_nid,
      {
        nid: row.event_nid,
        id: eventIdOf(row.event_id),
        text: decoder.decode(row.pdu),
        isRedacted: row.redacted_by !== null,
      },
    ]),
  )
  return nids.flatMap((nid) => served.get(nid) ?? [])
}

/** Returns the names of events, in the order asked. */
export async function eventIdsByNid(db: Read, nids: readonly Nid[]): Promise<EventId[]> {
  const rows = await inChunks([...new Set(nids)], (chunk) =>
    db.selectFrom('events').select(['event_nid', 'event_id']).where('event_nid', 'in', chunk).execute(),
  )
  const names = new Map<Nid, EventId>()
  await mapInTurns(rows, ROW_COST_US, (row) => names.set(row.event_nid, eventIdOf(row.event_id)))
  return nids.flatMap((nid) => names.get(nid) ?? [])
}
