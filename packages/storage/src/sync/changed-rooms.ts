// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from '../engine/database.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import { cachedMemberships } from '../rooms/members/members.ts'
import { userNid } from '../engine/names.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid, Position } from '../schema/schema.ts'

/** Returns the rooms a user is joined to in which an event came or a receipt moved after a position. */
export async function changedRooms(db: Read, user: UserId, after: Position): Promise<Set<RoomId>> {
  if (db.topicPositions.remembers(after) && !db.topicPositions.changedSince(user, after)) {
    const joined = (await cachedMemberships(db, user)).filter(({ membership }) => membership === 'join')
    return new Set(joined.map(({ roomId }) => roomId).filter((roomId) => db.topicPositions.changedSince(roomId, after)))
  }
  const nid = await userNid(db, user)
  if (nid === undefined) return new Set()
  const rows = [...(await withEvents(db, nid, after)), ...(await withReceipts(db, nid, after))]
  return new Set(rows.map((row) => row.room_id))
}

const joinedBy = (db: Read, user: Nid) =>
  db
    .selectFrom('members')
    .innerJoin('rooms', 'rooms.room_nid', 'members.room_nid')
    .select('rooms.room_id')
    .where('members.user_nid', '=', user)
    .where('members.membership', '=', 'join')

const withEvents = prepared((db, user: Nid, after: Position) =>
  joinedBy(db, user).where('rooms.last_position', '>', after),
)

const withReceipts = prepared((db, user: Nid, after: Position) =>
  joinedBy(db, user).where((row) =>
    row.exists(
      row
        .selectFrom('receipts')
        .select('receipts.position')
        .whereRef('receipts.room_nid', '=', 'members.room_nid')
        .where('receipts.position', '>', after)
        // Other people's private receipts are none of the user's business.
        .where((receipt) => receipt.or([receipt('kind', '=', 'm.read'), receipt('receipts.user_nid', '=', user)])),
    ),
  ),
)

/** A joined room of a user: the positions of the join and of the room's last event. */
export interface JoinedRoom {
  readonly roomId: RoomId
  readonly joined: Position
  readonly last: Position
}

/** Returns the rooms a user is joined to, the one that moved last first. */
export async function joinedRoomsByAge(db: Read, user: UserId): Promise<readonly JoinedRoom[]> {
  const nid = await userNid(db, user)
  return nid === undefined ? [] : byAge(db, nid)
}

const byAge = prepared((db, user: Nid) =>
  joinedBy(db, user)
    .clearSelect()
    .select(['rooms.room_id as roomId', 'members.position as joined', 'rooms.last_position as last'])
    .orderBy('rooms.last_position', 'desc'),
)

/**
 * Returns the rooms that a user was removed from or banned from by others, after they had been in them, invited or knocking.
 * Forgotten rooms are left out.
 */
export const roomsRemovedFrom: (db: Read, user: UserId) => Promise<ReadonlySet<RoomId>> = cachedReader(
  'roomsRemovedFrom',
  10_000,
  (user: UserId) => user,
  async (db, user: UserId) => {
    const nid = await userNid(db, user)
    return new Set(nid === undefined ? [] : (await removedFrom(db, nid)).map((row) => row.room_id))
  },
)

const removedFrom = prepared((db, user: Nid) =>
  db
    .selectFrom('members')
    .innerJoin('events', 'events.event_nid', 'members.event_nid')
    .innerJoin('rooms', 'rooms.room_nid', 'members.room_nid')
    .select('rooms.room_id')
    .where('members.user_nid', '=', user)
    .where('members.membership', 'in', ['leave', 'ban'])
    .where('members.forgotten', '=', 0)
    .where('events.sender_nid', '<>', user)
    .where('events.replaces_nid', 'is not', null),
)
