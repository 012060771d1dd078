// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '../engine/database.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import { roomById } from './rooms.ts'
import type { Room } from './rooms.ts'

/** The part of a room's row that is cached; the rest may change without touching the room's topic. */
export type CachedRoom = Pick<
  Room,
  | 'id'
  | 'roomVersion'
  | 'depth'
  | 'stateRoot'
  | 'lastPosition'
  | 'joinedCount'
  | 'invitedCount'
  | 'notified'
  | 'isPartial'
  | 'wholePosition'
  | 'provisionalRoot'
  | 'lastGap'
  | 'lastResolution'
  | 'bumpPosition'
>

/** Returns a room's row, cached until the room's topic is touched; undefined where there is no such room, which is not cached. */
export async function cachedRoom(db: Read, roomId: RoomId): Promise<CachedRoom | undefined> {
  return (await rowOnce(db, roomId)) ?? roomById(db, roomId)
}

const rowOnce = cachedReader(
  'roomsNow',
  20_000,
  (roomId: RoomId) => roomId,
  async (db, roomId: RoomId): Promise<CachedRoom | undefined> => roomById(db, roomId),
)
