// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
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
>

/** Returns what a room's row says, read once until the room's topic moves; undefined where there is no such room. */
export const cachedRoom = cachedReader(
  'roomsNow',
  20_000,
  (roomId: RoomId) => roomId,
  async (db, roomId: RoomId): Promise<CachedRoom | undefined> => roomById(db, roomId),
)
