// SPDX-License-Identifier: Apache-2.0
import { expressionBuilder } from 'kysely'
import type { Expression, SqlBool } from 'kysely'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../../engine/database.ts'
import type { Read } from '../../engine/database.ts'
import { roomNames, roomNid, userNames, userNid, userNids } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import type { Nid, Position, Tables } from '../../schema/schema.ts'

/**
 * A row for each room and each pair of users joined to it, including a user with themselves. Presence, device lists,
 * the user directory and mutual rooms decide by it whether users share a room.
 */
const shared = expressionBuilder<Tables>()
  .selectFrom('members as mine')
  .innerJoin('members as theirs', 'theirs.room_nid', 'mine.room_nid')
  .select(['mine.room_nid', 'mine.user_nid as viewer_nid', 'theirs.user_nid'])
  .select(['mine.position as viewer_position', 'theirs.position'])
  .where('mine.membership', '=', 'join')
  .where('theirs.membership', '=', 'join')
  .as('shared')

/** Returns the condition that the user of a row shares a room with another one. */
export function sharesRoomWith(viewer: Nid, user: 'presence.user_nid' | 'user_words.user_nid'): Expression<SqlBool> {
  const row = expressionBuilder<Tables, 'presence' | 'user_words'>()
  return row.exists(
    row
      .selectFrom(shared)
      .select('shared.room_nid')
      .whereRef('shared.user_nid', '=', user)
      .where('shared.viewer_nid', '=', viewer),
  )
}

/** Returns the users who share a room with a user, including the user. */
export async function usersSharingRooms(db: Read, user: UserId): Promise<Set<UserId>> {
  const nid = await userNid(db, user)
  if (nid === undefined) return new Set([user])
  const rows = await around(db, nid)
  const names = await userNames(
    db,
    rows.map((row) => row.user_nid),
  )
  return new Set([user, ...names.values()])
}

const around = prepared((db, user: Nid) =>
  db.selectFrom(shared).select('shared.user_nid').distinct().where('shared.viewer_nid', '=', user),
)

/**
 * Returns the users of the viewer's server who share a room with the viewer, who may be among them: those with numbers above
 * `after`, in their order, at most `limit`.
 */
export async function localUsersSharingRooms(
  db: Read,
  viewer: UserId,
  { after, limit }: { readonly after: Nid; readonly limit: number },
): Promise<{ readonly nid: Nid; readonly userId: UserId }[]> {
  const nid = await userNid(db, viewer)
  if (nid === undefined) return []
  const rows = await localAround(db, nid, serverOf(viewer), after, limit)
  return rows.map((row) => ({ nid: row.user_nid, userId: row.user_id }))
}

const localAround = prepared((db, viewer: Nid, server: ServerName, after: Nid, limit: number) =>
  db
    .selectFrom(shared)
    .innerJoin('users', 'users.user_nid', 'shared.user_nid')
    .select(['users.user_nid', 'users.user_id'])
    .distinct()
    .where('shared.viewer_nid', '=', viewer)
    .where('shared.user_nid', '>', after)
    .where('users.server', '=', server)
    .orderBy('users.user_nid')
    .limit(limit),
)

/** Returns those of some users who share a room with a user. */
export async function usersSharingRoomsAmong(
  db: Read,
  viewer: UserId,
  users: readonly UserId[],
): Promise<ReadonlySet<UserId>> {
  const nid = await userNid(db, viewer)
  const others = await userNids(db, users)
  if (nid === undefined || others.size === 0) return new Set()
  const rows = await inChunks([...others.values()], (chunk) =>
    db
      .selectFrom(shared)
      .select('shared.user_nid')
      .distinct()
      .where('shared.viewer_nid', '=', nid)
      .where('shared.user_nid', 'in', chunk)
      .execute(),
  )
  const sharing = new Set(rows.map((row) => row.user_nid))
  return new Set([...others].filter(([, other]) => sharing.has(other)).map(([user]) => user))
}

/** Returns whether two users share a room; with `since`, whether they have shared one since that position at least. */
export async function shareRoom(
  db: Read,
  one: UserId,
  other: UserId,
  since: Position = Number.MAX_SAFE_INTEGER,
): Promise<boolean> {
  const [first, second] = [await userNid(db, one), await userNid(db, other)]
  if (first === undefined || second === undefined) return false
  return (await roomOfBoth(db, first, second, since)).length > 0
}

const roomOfBoth = prepared((db, one: Nid, other: Nid, since: Position) =>
  db
    .selectFrom(shared)
    .select('shared.room_nid')
    .where('shared.viewer_nid', '=', one)
    .where('shared.user_nid', '=', other)
    .where('shared.viewer_position', '<=', since)
    .where('shared.position', '<=', since)
    .limit(1),
)

/** Returns whether a user shares a room with a user of a server. */
export async function sharesRoomWithServer(db: Read, user: UserId, server: ServerName): Promise<boolean> {
  const nid = await userNid(db, user)
  return nid !== undefined && (await someoneOf(db, nid, server)).length > 0
}

const someoneOf = prepared((db, user: Nid, server: ServerName) =>
  db
    .selectFrom(shared)
    .innerJoin('users', 'users.user_nid', 'shared.user_nid')
    .select('shared.user_nid')
    .where('shared.viewer_nid', '=', user)
    .where('users.server', '=', server)
    .limit(1),
)

/** Returns the rooms two users share, in a fixed order, at most `limit` of those after the one named; and their number in all. */
export async function mutualRooms(
  db: Read,
  [one, other]: readonly [UserId, UserId],
  { behind, limit }: { readonly behind?: RoomId | undefined; readonly limit: number },
): Promise<{ readonly rooms: RoomId[]; readonly count: number }> {
  const [mine, theirs] = [await userNid(db, one), await userNid(db, other)]
  const last = behind === undefined ? 0 : await roomNid(db, behind)
  if (mine === undefined || theirs === undefined || last === undefined) return { rooms: [], count: 0 }
  const rooms = db.selectFrom(shared).where('shared.viewer_nid', '=', mine).where('shared.user_nid', '=', theirs)
  const { count } = await rooms.select((row) => row.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
  const rows = await rooms
    .select('shared.room_nid')
    .where('shared.room_nid', '>', last)
    .orderBy('shared.room_nid')
    .limit(limit)
    .execute()
  const nids = rows.map((row) => row.room_nid)
  const names = await roomNames(db, nids)
  return { rooms: nids.flatMap((nid) => names.get(nid) ?? []), count: Number(count) }
}
