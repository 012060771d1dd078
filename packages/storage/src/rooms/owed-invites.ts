// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { roomNames, roomNid } from '../engine/names.ts'
import { insertRows } from '../engine/prepared.ts'
import { topics } from '../engine/topics.ts'

/** An invite that a new room owes. */
export interface OwedInvite {
  readonly roomId: RoomId
  readonly target: UserId
  readonly sender: UserId
  readonly isDirect: boolean
  /** The time (ms) from which any node may send it. */
  readonly dueTs: number
}

/** Records invites of one room, in the unit that creates it. */
export async function putOwedInvites(tx: Tx, roomId: RoomId, invites: readonly OwedInvite[]): Promise<void> {
  const room = await roomNid(tx, roomId)
  if (room === undefined || invites.length === 0) return
  const rows = invites.map(({ target, sender, isDirect, dueTs }) => ({
    room_nid: room,
    user_id: target,
    sender,
    is_direct: Number(isDirect),
    due_ts: dueTs,
  }))
  await insertRows(tx, 'owed_invites', rows)
  tx.touch(topics.owedWork)
}

/** Records that invites of a room were sent or refused; returns the users among these whose invite was owed until now. */
export async function takeOwedInvites(tx: Tx, roomId: RoomId, targets: readonly UserId[]): Promise<Set<UserId>> {
  const room = await roomNid(tx, roomId)
  if (room === undefined) return new Set()
  const rows = await inChunks(targets, (chunk) =>
    tx
      .deleteFrom('owed_invites')
      .where('room_nid', '=', room)
      .where('user_id', 'in', chunk)
      .returning('user_id')
      .execute(),
  )
  return new Set(rows.map((row) => row.user_id))
}

/** Returns owed invites, the first that are due first, at most `limit`. */
export async function owedInvites(db: Read, limit: number): Promise<OwedInvite[]> {
  const rows = await db.selectFrom('owed_invites').selectAll().orderBy('due_ts').limit(limit).execute()
  const names = await roomNames(db, [...new Set(rows.map((row) => row.room_nid))])
  return rows.flatMap(({ room_nid: room, user_id: target, sender, is_direct: isDirect, due_ts: dueTs }) => {
    const roomId = names.get(room)
    return roomId === undefined ? [] : [{ roomId, target, sender, isDirect: isDirect === 1, dueTs }]
  })
}
