// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { readOnce } from '../engine/kept.ts'
import { roomById } from './rooms.ts'
import type { Room } from './rooms.ts'

/** What is read once of a room; everything else in its row may change without its topic. */
export type RoomNow = Pick<
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
  | 'lastHole'
  | 'lastMove'
>

/** Returns what a room's row says, read once until the room's topic moves; undefined where there is no such room. */
export const roomNow = readOnce(
  'roomsNow',
  20_000,
  (roomId: RoomId) => roomId,
  async (db, roomId: RoomId): Promise<RoomNow | undefined> => roomById(db, roomId),
)
