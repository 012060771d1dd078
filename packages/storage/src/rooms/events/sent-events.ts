// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../../engine/database.ts'
import { eventIdOf } from './event-ids.ts'
import { roomNid, userNid } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import type { Nid, Position } from '../../schema/schema.ts'

/** A request of a device for an event: the scope of its transaction ID. */
export interface SendingRequest {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly deviceId: string
  readonly txnId: string
}

type Request = Pick<SendingRequest, 'roomId' | 'sender' | 'deviceId' | 'txnId'>

/** Returns the key under which a request is noted in `Tx.known`. */
export const requestName = ({ roomId, sender, deviceId, txnId }: Request): string =>
  `${roomId} ${sender} ${deviceId} ${txnId}`

/** The events of a request as they were before a unit; `readAt` is undefined where the position of the read is unknown. */
export interface RequestLookup {
  readonly sent: readonly { readonly nid: Nid; readonly id: EventId }[]
  readonly readAt: Position | undefined
}

/** Looks up the events of a request outside of a write transaction. */
export async function lookUpRequest(db: Read, request: SendingRequest): Promise<RequestLookup> {
  const readAt = db.topicPositions.position
  return { readAt, sent: await eventsOfRequest(db, request) }
}

/** Returns the events of a request in a write transaction; queries only if they may have changed since the lookup. */
export async function currentEventsOfRequest(
  tx: Tx,
  request: SendingRequest,
  { sent, readAt }: RequestLookup,
): Promise<RequestLookup['sent']> {
  const isStill = readAt !== undefined && tx.known.isUnnoted(requestName(request), readAt)
  return isStill ? sent : eventsOfRequest(tx, request)
}

/**
 * Returns the events of one type that a device sent to a room under a transaction ID, newest first: one, except for
 * redactions, whose path names the redacted event. Only the 20 newest events under the ID count, of any type.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers
 */
async function eventsOfRequest(
  db: Read,
  { roomId, sender, type, deviceId, txnId }: SendingRequest,
): Promise<{ readonly nid: Nid; readonly id: EventId }[]> {
  const [room, senderNid] = [await roomNid(db, roomId), await userNid(db, sender)]
  if (room === undefined || senderNid === undefined) return []
  const rows = await sentUnder(db, room, senderNid, deviceId, txnId)
  return rows.flatMap((row) => (row.type === type ? [{ nid: row.event_nid, id: eventIdOf(row.event_id) }] : []))
}

// Bounds the cost of a client that uses one id for everything: a request is repeated soon, or never.
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
