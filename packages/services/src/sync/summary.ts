// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { membersOf } from '@myelin/storage/rooms/members/members'
import type { CachedRoom } from '@myelin/storage/rooms/cached-room'
import { loadStateEvent } from '../room-state/load-auth-state.ts'

/** The member counts and heroes from which clients make a room's name. */
export interface RoomSummary {
  readonly 'm.heroes'?: readonly string[]
  readonly 'm.joined_member_count': number
  readonly 'm.invited_member_count': number
}

const HEROES = 5

/**
 * Returns a room's member counts, and its heroes if it has neither a name nor a canonical alias.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary
 */
export async function summaryOf(db: Read, room: CachedRoom, user: UserId): Promise<RoomSummary> {
  const counts = { 'm.joined_member_count': room.joinedCount, 'm.invited_member_count': room.invitedCount }
  const name = await loadStateEvent(db, room.stateRoot, 'm.room.name')
  const alias = await loadStateEvent(db, room.stateRoot, 'm.room.canonical_alias')
  const isNamed = [name && stringMember(name.content, 'name'), alias && stringMember(alias.content, 'alias')].some(
    Boolean,
  )
  return isNamed ? counts : { 'm.heroes': await heroesOf(db, room, user), ...counts }
}

/** Returns the first members of a room beside the user, at most 5; former members if there are no others. */
export async function heroesOf(db: Read, room: Pick<CachedRoom, 'id'>, user: UserId): Promise<string[]> {
  const present = await others(db, room, user, ['join', 'invite'])
  return present.length > 0 ? present : others(db, room, user, ['leave', 'ban'])
}

async function others(
  db: Read,
  room: Pick<CachedRoom, 'id'>,
  user: UserId,
  memberships: readonly string[],
): Promise<string[]> {
  const members = await membersOf(db, room.id, memberships, HEROES + 1)
  return members
    .map(({ userId }) => userId)
    .filter((userId) => userId !== user)
    .slice(0, HEROES)
}
