// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getPublicRooms } from './get-public-rooms.ts'
import { queryInfo } from './query-info.ts'
import { queryProfile } from './query-profile.ts'
import { queryPublicRooms } from './query-public-rooms.ts'
import { queryRoomDirectory } from './query-room-directory.ts'

/** Profiles and the room directory. */
export const federationQueryEndpoints: readonly AnyEndpoint[] = [
  getPublicRooms,
  queryInfo,
  queryProfile,
  queryPublicRooms,
  queryRoomDirectory,
]
