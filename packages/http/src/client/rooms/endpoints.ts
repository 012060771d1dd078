// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { createRoom } from './create-room.ts'
import { getJoinedRooms } from './get-joined-rooms.ts'
import { getRoomSummary } from './get-room-summary.ts'
import { getSpaceHierarchy } from './get-space-hierarchy.ts'
import { roomInitialSync } from './room-initial-sync.ts'
import { upgradeRoom } from './upgrade-room.ts'

/** Rooms as a whole. */
export const roomEndpoints: readonly AnyEndpoint[] = [
  createRoom,
  getJoinedRooms,
  getRoomSummary,
  getSpaceHierarchy,
  roomInitialSync,
  upgradeRoom,
]
