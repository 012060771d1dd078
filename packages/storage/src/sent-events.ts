// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from './database.ts'
import { eventIdOf } from './event-ids.ts'
import { roomNid, userNid } from './names.ts'
import { prepared } from './prepared.ts'
import type { Nid } from './schema.ts'

/** A request of a device for an event: what its transaction id counts for. */
export interface SendingRequest {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly deviceId: string
  readonly txnId: string
}

/**
 * The events of one type that a device sent under a transaction id into a room, the newest first: one, but for redactions,
 * whose path names what they redact. Only the 20 newest events under that id count, of whatever type.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers
 */
export async function eventsOfRequest(
  db: Read,
  { roomId, sender, type, deviceId, txnId }: SendingRequest,
): Promise<{ readonly nid: Nid; readonly id: EventId }[]> {
  const [room, senderNid] = [await roomNid(db, roomId), await userNid(db, sender)]
  if (room === undefined || senderNid === undefined) return []
  const rows = await sentUnder(db, room, senderNid, deviceId, txnId)
  return rows.flatMap((row) => (row.type === type ? [{ nid: row.event_nid, id: eventIdOf(row.event_id) }] : []))
}

// Whoever uses one id for everything costs no more than others: a request is repeated soon, or never.
const MOST = 20
const sentUnder = prepared((db, room: Nid, sender: Nid, deviceId: string, txnId: string) =>
  db
    .selectFrom('events')
    .select(['event_nid', 'event_id', 'type'])
    .where('room_nid', '=', room)
    .where('sender_nid', '=', sender)
    .where('txn_device', '=', deviceId)
    .where('txn_id', '=', txnId)
    .orderBy('event_nid', 'desc')
    .limit(MOST),
)
