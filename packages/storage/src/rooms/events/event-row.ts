// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from '../../engine/database.ts'
import { internUser } from '../../engine/names.ts'
import { insertRow } from '../../engine/prepared.ts'
import { topics } from '../../engine/topics.ts'
import type { Nid, Position, Tables } from '../../schema/schema.ts'
import { authNidsOf } from './auth-edges.ts'
import { eventIdBytes } from './event-ids.ts'
import { EVENT_STATUS } from './events.ts'
import { searchAgain, SEARCHABLE_TYPES } from './searchable.ts'
import { pduBytes } from './stored-pdu.ts'

/** Properties of an event that follow from push rules and relations, computed before it is appended. */
export interface EventFacts {
  /** The notification for a member with the default push rules. */
  readonly notifies: 'no' | 'yes' | 'highlight'
  readonly relatesTo?: EventId
  readonly relType?: string
  readonly thread?: Nid
  /** The device that sent it and the transaction id it gave. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
}

/** The values of the column `notifies`. */
const NOTIFIES = { no: 0, yes: 1, highlight: 2 } as const

/** The columns of `events` that do not follow from the event itself. */
export interface EventRow extends EventFacts {
  readonly nid: Nid
  readonly room: Nid
  readonly position: Position | null
  readonly notified: number
  readonly state: { readonly before: Nid; readonly after: Nid; readonly roomRoot: Nid; readonly replaces?: Nid }
  readonly status: keyof typeof EVENT_STATUS
  /** The row exists and is overwritten. */
  readonly isKept: boolean
}

/** Writes the row of an event, or overwrites it where the event is stored as an outlier. */
export async function putEventRow(tx: Tx, event: Pdu, fields: EventRow): Promise<void> {
  const row = eventRow(event, fields, await internUser(tx, event.sender), await authNidsOf(tx, event))
  if (fields.isKept) {
    const { event_nid: nid, pdu: _pdu, event_id: _id, room_nid: _room, ...changed } = row
    await tx.updateTable('events').set(changed).where('event_nid', '=', nid).execute()
    if (fields.position !== null && SEARCHABLE_TYPES.includes(event.type)) await searchAgain(tx, [nid])
  } else {
    await insertRow(tx, 'events', row)
    tx.caches.pdus.set(fields.nid, { pdu: event })
  }
  if (fields.relatesTo) tx.touch(topics.related(fields.room))
}

/**
 * Returns a number as a column holds it, at most 2^53 - 1. Old room versions allow larger ones; the PDU keeps the number
 * as it is.
 */
export const columnNumber = (value: number): number => Math.min(value, Number.MAX_SAFE_INTEGER)

function eventRow(event: Pdu, fields: EventRow, sender: Nid, authNids: readonly Nid[] | undefined): Tables['events'] {
  return {
    event_nid: fields.nid,
    event_id: eventIdBytes(event.id),
    room_nid: fields.room,
    position: fields.position,
    depth: columnNumber(event.depth),
    type: event.type,
    state_key: event.stateKey ?? null,
    sender_nid: sender,
    origin_server_ts: columnNumber(event.originServerTs),
    state_before: fields.state.before,
    state_after: fields.state.after,
    room_root: fields.state.roomRoot,
    replaces_nid: fields.state.replaces ?? null,
    relates_to: fields.relatesTo ? eventIdBytes(fields.relatesTo) : null,
    rel_type: fields.relType ?? null,
    thread_nid: fields.thread ?? null,
    notifies: NOTIFIES[fields.notifies],
    notified: fields.notified,
    status: EVENT_STATUS[fields.status],
    redacted_by: null,
    txn_device: fields.transaction?.deviceId ?? null,
    txn_id: fields.transaction?.txnId ?? null,
    auth_nids: authNids ? JSON.stringify(authNids) : null,
    pdu: pduBytes(event),
  }
}
