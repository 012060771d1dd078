// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteRoomAlias } from './delete-room-alias.ts'
import { getLocalAliases } from './get-local-aliases.ts'
import { getMutualRooms } from './get-mutual-rooms.ts'
import { getPublicRooms } from './get-public-rooms.ts'
import { getRoomIdByAlias } from './get-room-id-by-alias.ts'
import { getRoomVisibilityOnDirectory } from './get-room-visibility-on-directory.ts'
import { queryPublicRooms } from './query-public-rooms.ts'
import { searchUserDirectory } from './search-user-directory.ts'
import { setRoomAlias } from './set-room-alias.ts'
import { setRoomVisibilityOnDirectory } from './set-room-visibility-on-directory.ts'
import { updateAppserviceRoomDirectoryVisibility } from './update-appservice-room-directory-visibility.ts'

/** Finding rooms and users. */
export const directoryEndpoints: readonly AnyEndpoint[] = [
  deleteRoomAlias,
  getLocalAliases,
  getMutualRooms,
  getPublicRooms,
  getRoomIdByAlias,
  getRoomVisibilityOnDirectory,
  queryPublicRooms,
  searchUserDirectory,
  setRoomAlias,
  setRoomVisibilityOnDirectory,
  updateAppserviceRoomDirectoryVisibility,
]
