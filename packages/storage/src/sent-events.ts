// SPDX-License-Identifier: Apache-2.0
import type { EventId, UserId } from '@myelin/matrix/ids'
import type { Read } from './database.ts'
import { eventIdOf } from './event-ids.ts'
import { userNid } from './names.ts'
import { prepared } from './prepared.ts'
import type { Nid } from './schema.ts'

/** A request of a device for an event: what its transaction id counts for. */
export interface SendingRequest {
  readonly room: Nid
  readonly sender: UserId
  readonly type: string
  readonly deviceId: string
  readonly txnId: string
}

/**
 * The events that a device sent under a transaction id into a room, of one type: one at the most, but for redactions,
 * whose path names what they redact.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers
 */
export async function eventsOfRequest(
  db: Read,
  { room, sender, type, deviceId, txnId }: SendingRequest,
): Promise<{ readonly nid: Nid; readonly id: EventId }[]> {
  const senderNid = await userNid(db, sender)
  if (senderNid === undefined) return []
  const rows = await sentUnder(db, senderNid, deviceId, txnId)
  return rows.flatMap((row) =>
    row.room_nid === room && row.type === type ? [{ nid: row.event_nid, id: eventIdOf(row.event_id) }] : [],
  )
}

// The same id is used in other rooms, and for other types, only by clients that count from one again and again.
const sentUnder = prepared((db, sender: Nid, deviceId: string, txnId: string) =>
  db
    .selectFrom('events')
    .select(['event_nid', 'event_id', 'room_nid', 'type'])
    .where('sender_nid', '=', sender)
    .where('txn_device', '=', deviceId)
    .where('txn_id', '=', txnId),
)
