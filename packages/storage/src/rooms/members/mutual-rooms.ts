// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import { roomNames, roomNid, userNid } from '../../engine/names.ts'

/** The rooms two users are both joined to, in no particular order that stays the same, `limit` of them behind the one named; and how many there are in all. */
export async function mutualRooms(
  db: Read,
  [one, other]: readonly [UserId, UserId],
  { behind, limit }: { readonly behind?: RoomId | undefined; readonly limit: number },
): Promise<{ readonly rooms: RoomId[]; readonly count: number }> {
  const [mine, theirs] = [await userNid(db, one), await userNid(db, other)]
  const last = behind === undefined ? 0 : await roomNid(db, behind)
  if (mine === undefined || theirs === undefined || last === undefined) return { rooms: [], count: 0 }
  const shared = db
    .selectFrom('members as mine')
    .innerJoin('members as theirs', 'theirs.room_nid', 'mine.room_nid')
    .where('mine.user_nid', '=', mine)
    .where('mine.membership', '=', 'join')
    .where('theirs.user_nid', '=', theirs)
    .where('theirs.membership', '=', 'join')
  const { count } = await shared.select((row) => row.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
  const rows = await shared
    .select('mine.room_nid')
    .where('mine.room_nid', '>', last)
    .orderBy('mine.room_nid')
    .limit(limit)
    .execute()
  const nids = rows.map((row) => row.room_nid)
  const names = await roomNames(db, nids)
  return { rooms: nids.flatMap((nid) => names.get(nid) ?? []), count: Number(count) }
}
