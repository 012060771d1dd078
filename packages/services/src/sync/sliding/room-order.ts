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
  /** Of the joined rooms. */
  readonly activities: Map<RoomId, number>
}

const cache = new DatabaseCache<Kept>('roomOrders', 5_000)

/**
 * Returns a user's rooms, left ones too, the one that was active last first.
 *
 * The list is kept. What changed since is found by topics, so that a further call reads only rooms that changed.
 */
export async function roomOrder(db: Read, user: UserId): Promise<readonly ListedRoom[]> {
  const readAt = db.topicPositions.position
  const memberships = await cachedMemberships(db, user)
  if (readAt === undefined) return sorted(memberships, await allActivities(db, user))
  const kept = cache.of(db).get(user)
  if (kept?.readAt === readAt && kept.memberships === memberships) return kept.rooms
  const isUsable = kept !== undefined && db.topicPositions.remembers(kept.readAt)
  const now = isUsable ? await changedOrder(db, kept, memberships) : await wholeOrder(db, user, memberships)
  cache.of(db).set(user, { readAt, memberships, ...now })
  return now.rooms
}

type Order = Pick<Kept, 'rooms' | 'activities'>

async function wholeOrder(db: Read, user: UserId, memberships: readonly Membership[]): Promise<Order> {
  const activities = await allActivities(db, user)
  return { activities, rooms: sorted(memberships, activities) }
}

async function changedOrder(db: Read, kept: Kept, memberships: readonly Membership[]): Promise<Order> {
  const changed: RoomId[] = []
  for (const { roomId, membership } of memberships) {
    if (membership !== 'join') continue
    if (!kept.activities.has(roomId) || db.topicPositions.changedSince(roomId, kept.readAt)) changed.push(roomId)
  }
  if (changed.length === 0 && kept.memberships === memberships) return kept
  // Older activities of rooms that the user is not in any more are not looked at.
  const activities = new Map(kept.activities)
  for (const roomId of changed) activities.set(roomId, (await cachedRoom(db, roomId))?.lastPosition ?? 0)
  return { activities, rooms: sorted(memberships, activities) }
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
