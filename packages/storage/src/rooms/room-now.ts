// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { readOnce } from '../engine/kept.ts'
import { roomById } from './rooms.ts'

/** What a room's row says, read once until an event comes into the room. Whether the room is published is not to be asked here. */
export const roomNow = readOnce(
  'roomsNow',
  20_000,
  (roomId: RoomId) => roomId,
  async (db, roomId: RoomId) => roomById(db, roomId),
)
