// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { keyNid, roomNames, roomNid } from '../engine/names.ts'
import { topics } from '../engine/topics.ts'
import type { Nid } from '../schema/schema.ts'
import { stateAt } from './state/state.ts'

/** Records that a room's guest access changed. */
export async function putGuestCheck(tx: Tx, room: Nid): Promise<void> {
  await tx
    .insertInto('owed_guest_checks')
    .values({ room_nid: room })
    .onConflict((at) => at.column('room_nid').doNothing())
    .execute()
  tx.touch(topics.owedWork)
}

/** Records a check where two states of a room differ in guest access; a room that had none before has no guests. */
export async function noteGuestAccess(tx: Tx, room: Nid, before: Nid, after: Nid): Promise<void> {
  if (before === after || before === 0) return
  const key = await keyNid(tx, 'm.room.guest_access', '')
  const old = key === undefined ? undefined : await stateAt(tx, before, key)
  if (key !== undefined && old !== undefined && old !== (await stateAt(tx, after, key))) await putGuestCheck(tx, room)
}

/** Returns rooms whose guests are to be checked, at most `limit`. */
export async function owedGuestChecks(db: Read, limit: number): Promise<RoomId[]> {
  const rows = await db.selectFrom('owed_guest_checks').select('room_nid').limit(limit).execute()
  return [
    ...(
      await roomNames(
        db,
        rows.map((row) => row.room_nid),
      )
    ).values(),
  ]
}

/** Records that the guests of a room were checked. */
export async function dropGuestCheck(tx: Tx, roomId: RoomId): Promise<void> {
  const room = await roomNid(tx, roomId)
  if (room !== undefined) await tx.deleteFrom('owed_guest_checks').where('room_nid', '=', room).execute()
}

/** Returns the guests of this server who are joined to a room. */
export async function joinedGuests(db: Read, roomId: RoomId): Promise<UserId[]> {
  const room = await roomNid(db, roomId)
  if (room === undefined) return []
  const rows = await db
    .selectFrom('members as member')
    .innerJoin('users as user', 'user.user_nid', 'member.user_nid')
    .innerJoin('accounts as account', 'account.user_id', 'user.user_id')
    .select('account.user_id')
    .where('member.room_nid', '=', room)
    .where('member.membership', '=', 'join')
    .where('account.is_guest', '=', 1)
    .execute()
  return rows.map((row) => row.user_id)
}
