// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { joinedRoomsByAge } from '@myelin/storage/sync/changed-rooms'

/** A room of a user in the order of lists. */
export interface ListedRoom {
  readonly membership: Membership
  /** The position of the last event that the user may see there; without being joined, of their membership. */
  readonly activity: number
}

type Kept = {
  readonly readAt: number
  readonly memberships: readonly Membership[]
  readonly rooms: readonly ListedRoom[]
}

const shelf = new DatabaseCache<Kept>('roomOrders', 5_000)

/**
 * Returns a user's rooms, left ones too, the one that was active last first.
 *
 * The list is kept. What changed since is found by topics, so that a further call reads only rooms that changed.
 */
export async function roomOrder(db: Read, user: UserId): Promise<readonly ListedRoom[]> {
  const readAt = db.topicPositions.position
  const kept = readAt === undefined ? undefined : shelf.of(db).get(user)
  const memberships = await cachedMemberships(db, user)
  const rooms = await orderOf(db, user, memberships, kept)
  if (readAt !== undefined && (kept?.readAt !== readAt || kept.memberships !== memberships))
    shelf.of(db).set(user, { readAt, memberships, rooms })
  return rooms
}

async function orderOf(
  db: Read,
  user: UserId,
  memberships: readonly Membership[],
  kept: Kept | undefined,
): Promise<readonly ListedRoom[]> {
  if (!kept || !db.topicPositions.remembers(kept.readAt)) return sorted(memberships, await allActivities(db, user))
  const known = new Map(kept.rooms.map((room) => [room.membership.roomId, room]))
  let hasMoved = kept.memberships !== memberships
  const activities = new Map<RoomId, number>()
  for (const { roomId, membership } of memberships) {
    if (membership !== 'join') continue
    const before = known.get(roomId)
    const isStill = before?.membership.membership === 'join' && !db.topicPositions.changedSince(roomId, kept.readAt)
    const activity = isStill ? before.activity : ((await cachedRoom(db, roomId))?.lastPosition ?? 0)
    hasMoved ||= activity !== before?.activity
    activities.set(roomId, activity)
  }
  return hasMoved ? sorted(memberships, activities) : kept.rooms
}

async function allActivities(db: Read, user: UserId): Promise<Map<RoomId, number>> {
  return new Map((await joinedRoomsByAge(db, user)).map(({ roomId, last }) => [roomId, last]))
}

function sorted(memberships: readonly Membership[], activities: ReadonlyMap<RoomId, number>): ListedRoom[] {
  return memberships
    .map((membership) => ({
      membership,
      activity:
        (membership.membership === 'join' ? activities.get(membership.roomId) : undefined) ?? membership.position,
    }))
    .sort((a, b) => b.activity - a.activity)
}
