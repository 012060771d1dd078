// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias } from './aliases.ts'
import {
  getPublicRooms,
  getRoomVisibilityOnDirectory,
  queryPublicRooms,
  setRoomVisibilityOnDirectory,
} from './public-rooms.ts'
import { getMutualRooms } from './get-mutual-rooms.ts'
import { searchUserDirectory } from './search-users.ts'

/** How rooms and users are found. */
export const directoryEndpoints: readonly AnyEndpoint[] = [
  setRoomAlias,
  getRoomIdByAlias,
  deleteRoomAlias,
  getLocalAliases,
  getRoomVisibilityOnDirectory,
  setRoomVisibilityOnDirectory,
  getPublicRooms,
  queryPublicRooms,
  searchUserDirectory,
  getMutualRooms,
]
