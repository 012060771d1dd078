// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../../engine/database.ts'
import type { Read, Tx } from '../../engine/database.ts'
import { internUser, roomNames, roomNid, userNid, userNids, withUserNames } from '../../engine/names.ts'
import { cachedReader } from '../../engine/cached-reader.ts'
import { prepared } from '../../engine/prepared.ts'
import { topics } from '../../engine/topics.ts'
import type { Nid, Position, Tables } from '../../schema/schema.ts'

// The most members that one statement returns.
const PAGE = 2000

/** A user's standing in a room as this server last learned it. `position` is where it last changed. */
export interface Membership {
  readonly roomId: RoomId
  readonly membership: string
  readonly eventNid: Nid
  readonly position: Position
  readonly isForgotten: boolean
  readonly strippedState: string | null
}

/** Stores a user's membership in a room; returns the membership it replaces. */
export async function putMembership(
  tx: Tx,
  room: Nid,
  user: UserId,
  now: { readonly membership: string; readonly event: Nid; readonly position: Position },
): Promise<string | undefined> {
  const nid = await internUser(tx, user)
  const before = await tx
    .selectFrom('members')
    .select(['membership', 'position'])
    .where('room_nid', '=', room)
    .where('user_nid', '=', nid)
    .executeTakeFirst()
  const row = {
    membership: now.membership,
    event_nid: now.event,
    // A change of profile does not change since when a user is joined.
    position: before?.membership === 'join' && now.membership === 'join' ? before.position : now.position,
    forgotten: 0,
    stripped_state: null,
  }
  await tx
    .insertInto('members')
    .values({ room_nid: room, user_nid: nid, ...row })
    .onConflict((at) => at.columns(['room_nid', 'user_nid']).doUpdateSet(row))
    .execute()
  tx.touch(user)
  tx.touch(topics.members(room))
  return before?.membership
}

/** Returns the numbers of all users with any membership in a room. */
export async function memberNids(db: Read, room: Nid): Promise<Set<Nid>> {
  const rows = await db.selectFrom('members').select('user_nid').where('room_nid', '=', room).execute()
  return new Set(rows.map((row) => row.user_nid))
}

/** Stores the stripped state of a room, a JSON list, for an invited or knocking user. */
export async function putStrippedState(tx: Tx, roomId: RoomId, user: UserId, strippedState: string): Promise<void> {
  const [room, nid] = [await roomNid(tx, roomId), await internUser(tx, user)]
  if (room === undefined) return
  await tx
    .updateTable('members')
    .set({ stripped_state: strippedState })
    .where('room_nid', '=', room)
    .where('user_nid', '=', nid)
    .execute()
  tx.touch(user)
}

/** Hides a room the user has left. */
export async function forgetRoom(tx: Tx, roomId: RoomId, user: UserId): Promise<void> {
  const [room, nid] = [await roomNid(tx, roomId), await userNid(tx, user)]
  if (room === undefined || nid === undefined) return
  await tx
    .updateTable('members')
    .set({ forgotten: 1 })
    .where('room_nid', '=', room)
    .where('user_nid', '=', nid)
    .execute()
  tx.touch(user)
}

/** Returns all memberships of a user, forgotten rooms too. */
export async function membershipsOf(db: Read, user: UserId): Promise<Membership[]> {
  const nid = await userNid(db, user)
  if (nid === undefined) return []
  const rows = await rowsOfUser(db, nid)
  const rooms = await roomNames(
    db,
    rows.map((row) => row.room_nid),
  )
  return rows.flatMap((row) => {
    const roomId = rooms.get(row.room_nid)
    return roomId === undefined ? [] : [membershipFrom(roomId, row)]
  })
}

/** Returns the same as {@link membershipsOf}, read once until the user moves. */
export const cachedMemberships = cachedReader(
  'memberships',
  10_000,
  (user: UserId) => user,
  async (db, user: UserId) => membershipsOf(db, user),
)

const rowsOfUser = prepared((db, user: Nid) => db.selectFrom('members').selectAll().where('user_nid', '=', user))

/** Returns a user's membership in a room. */
export async function membershipIn(db: Read, roomId: RoomId, user: UserId): Promise<Membership | undefined> {
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  if (room === undefined || nid === undefined) return undefined
  const [row] = await rowIn(db, room, nid)
  return row && membershipFrom(roomId, row)
}

const rowIn = prepared((db, room: Nid, user: Nid) =>
  db.selectFrom('members').selectAll().where('room_nid', '=', room).where('user_nid', '=', user),
)

/** Returns the users of a room with one of these memberships, with the number of their member event. */
export async function membersOf(
  db: Read,
  roomId: RoomId,
  memberships: readonly string[],
  limit = Number.MAX_SAFE_INTEGER,
): Promise<
  { readonly userId: UserId; readonly membership: string; readonly eventNid: Nid; readonly position: Position }[]
> {
  const room = await roomNid(db, roomId)
  if (room === undefined) return []
  const rows =
    limit <= PAGE ? await firstMembers(db, room, memberships, limit) : await allMembers(db, room, memberships)
  return withUserNames(db, rows, (row, userId) => {
    const { membership, event_nid: eventNid, position } = row
    return { userId, membership, eventNid, position }
  })
}

function firstMembers(db: Read, room: Nid, memberships: readonly string[], limit: number): Promise<MemberRow[]> {
  return db
    .selectFrom('members')
    .select(['user_nid', 'membership', 'event_nid', 'position'])
    .where('room_nid', '=', room)
    .where('membership', 'in', memberships)
    .orderBy('position')
    .limit(limit)
    .execute()
}

/** Reads page by page: one statement over all members of a large room would hold up all others. */
async function allMembers(db: Read, room: Nid, memberships: readonly string[]): Promise<MemberRow[]> {
  const rows: MemberRow[] = []
  for (let after = 0, isWhole = false; !isWhole; ) {
    const page = await db
      .selectFrom('members')
      .select(['user_nid', 'membership', 'event_nid', 'position'])
      .where('room_nid', '=', room)
      .where('user_nid', '>', after)
      .where('membership', 'in', memberships)
      .orderBy('user_nid')
      .limit(PAGE)
      .execute()
    for (const row of page) rows.push(row)
    after = page.at(-1)?.user_nid ?? after
    isWhole = page.length < PAGE
  }
  return rows.sort((a, b) => a.position - b.position)
}

type MemberRow = Pick<Tables['members'], 'user_nid' | 'membership' | 'event_nid' | 'position'>

/**
 * Returns the positions at which the memberships of these users in a room last changed, without users who have none.
 */
export async function membershipPositions(
  db: Read,
  roomId: RoomId,
  users: readonly UserId[],
): Promise<Map<UserId, Position>> {
  const [room, nids] = [await roomNid(db, roomId), await userNids(db, users)]
  if (room === undefined || nids.size === 0) return new Map()
  const rows = await inChunks([...nids.values()], (chunk) =>
    db
      .selectFrom('members')
      .select(['user_nid', 'position'])
      .where('room_nid', '=', room)
      .where('user_nid', 'in', chunk)
      .execute(),
  )
  const positions = new Map(rows.map((row) => [row.user_nid, row.position]))
  return new Map([...nids].flatMap(([user, nid]) => [[user, positions.get(nid) ?? 0] as const]))
}

function membershipFrom(
  roomId: RoomId,
  row: { membership: string; event_nid: Nid; position: Position; forgotten: number; stripped_state: string | null },
): Membership {
  return {
    roomId,
    membership: row.membership,
    eventNid: row.event_nid,
    position: row.position,
    isForgotten: row.forgotten === 1,
    strippedState: row.stripped_state,
  }
}
