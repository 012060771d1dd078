// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { topics } from '../engine/topics.ts'

/** A delayed event that is sent when a participant is no longer connected to the SFU (MSC4195). */
export interface DelegatedLeave {
  readonly delayId: string
  readonly userId: UserId
  /** The room and the participant in LiveKit. */
  readonly room: string
  readonly identity: string
  /** In ms. */
  readonly createdTs: number
  /** The participant was seen at the SFU. */
  readonly isSeen: boolean
}

/** Returns all delegated leaves, the oldest first. */
export async function delegatedLeaves(db: Read): Promise<DelegatedLeave[]> {
  const rows = await db.selectFrom('delegated_leaves').selectAll().orderBy('created_ts').orderBy('delay_id').execute()
  return rows.map((row) => ({
    delayId: row.delay_id,
    userId: row.user_id,
    room: row.livekit_room,
    identity: row.identity,
    createdTs: row.created_ts,
    isSeen: row.is_seen === 1,
  }))
}

/** Stores a delegated leave in place of an earlier one of the same delayed event or the same participant. */
export async function putDelegatedLeave(tx: Tx, leave: DelegatedLeave): Promise<void> {
  // The task that watches participants follows the log.
  tx.takePosition()
  await tx
    .deleteFrom('delegated_leaves')
    .where('user_id', '=', leave.userId)
    .where((row) =>
      row.or([
        row('delay_id', '=', leave.delayId),
        row.and([row('livekit_room', '=', leave.room), row('identity', '=', leave.identity)]),
      ]),
    )
    .execute()
  await tx
    .insertInto('delegated_leaves')
    .values({
      delay_id: leave.delayId,
      user_id: leave.userId,
      livekit_room: leave.room,
      identity: leave.identity,
      created_ts: leave.createdTs,
      is_seen: Number(leave.isSeen),
    })
    .execute()
  tx.touch(topics.delegatedLeaves)
}

/** Records that the participant of a delegated leave was seen at the SFU. */
export async function markSeen(tx: Tx, delayId: string): Promise<void> {
  await tx.updateTable('delegated_leaves').set({ is_seen: 1 }).where('delay_id', '=', delayId).execute()
}

/** Deletes a delegated leave; the delayed event stays. */
export async function deleteDelegatedLeave(tx: Tx, delayId: string): Promise<void> {
  await tx.deleteFrom('delegated_leaves').where('delay_id', '=', delayId).execute()
}
