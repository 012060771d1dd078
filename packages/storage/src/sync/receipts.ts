// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { internUser, roomNid, userNames, userNid } from '../engine/names.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/**
 * A read position of a user: a public or private receipt, or the fully-read marker. `threadId` is empty for an
 * unthreaded receipt.
 */
export interface Receipt {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly kind: 'm.read' | 'm.read.private'
  readonly threadId: string
  readonly eventId: EventId
  readonly eventPosition: Position
  readonly ts: number
}

/** Moves a receipt forward; returns false, and changes nothing, where the user has read further already. */
export async function putReceipt(tx: Tx, receipt: Receipt): Promise<boolean> {
  const room = await roomNid(tx, receipt.roomId)
  if (room === undefined) return false
  const key = {
    room_nid: room,
    user_nid: await internUser(tx, receipt.userId),
    kind: receipt.kind,
    thread_id: receipt.threadId,
  }
  const before = await tx
    .selectFrom('receipts')
    .select('event_position')
    .where('room_nid', '=', key.room_nid)
    .where('user_nid', '=', key.user_nid)
    .where('kind', '=', key.kind)
    .where('thread_id', '=', key.thread_id)
    .executeTakeFirst()
  if (before && before.event_position >= receipt.eventPosition) return false
  const moved = {
    event_id: receipt.eventId,
    event_position: receipt.eventPosition,
    ts: receipt.ts,
    position: tx.takePosition(),
  }
  await tx
    .insertInto('receipts')
    .values({ ...key, ...moved })
    .onConflict((at) => at.columns(['room_nid', 'user_nid', 'kind', 'thread_id']).doUpdateSet(moved))
    .execute()
  // A private receipt is shown to its user only.
  tx.touch(receipt.kind === 'm.read' ? receipt.roomId : receipt.userId)
  tx.touch(topics.readIn(receipt.roomId))
  tx.touch(topics.readBy(receipt.userId))
  return true
}

/** Receipts of a room that moved after one position and up to another. */
export async function receiptsBetween(db: Read, roomId: RoomId, after: Position, upTo: Position): Promise<Receipt[]> {
  if (!db.topicPositions.changedSince(topics.readIn(roomId), after)) return []
  const room = await roomNid(db, roomId)
  if (room === undefined) return []
  const rows = await movedBetween(db, room, after, upTo)
  return receiptsFrom(db, roomId, rows)
}

/** Returns the receipts of a user in a room, private ones too, as far as they moved up to a position. */
export async function receiptsByUser(db: Read, roomId: RoomId, user: UserId, upTo: Position): Promise<Receipt[]> {
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  if (room === undefined || nid === undefined) return []
  return receiptsFrom(db, roomId, await movedByUser(db, room, nid, upTo))
}

const movedByUser = prepared((db, room: Nid, user: Nid, upTo: Position) =>
  db
    .selectFrom('receipts')
    .selectAll()
    .where('room_nid', '=', room)
    .where('user_nid', '=', user)
    .where('position', '<=', upTo),
)

async function receiptsFrom(db: Read, roomId: RoomId, rows: readonly Tables['receipts'][]): Promise<Receipt[]> {
  const users = await userNames(
    db,
    rows.map((row) => row.user_nid),
  )
  return rows.flatMap((row) => {
    const userId = users.get(row.user_nid)
    if (userId === undefined) return []
    return [
      {
        roomId,
        userId,
        kind: row.kind as Receipt['kind'],
        threadId: row.thread_id,
        eventId: row.event_id,
        eventPosition: row.event_position,
        ts: row.ts,
      },
    ]
  })
}

const movedBetween = prepared((db, room: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('receipts')
    .selectAll()
    .where('room_nid', '=', room)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .orderBy('position'),
)
