// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteAccountDataPerRoom } from './delete-account-data-per-room.ts'
import { deleteAccountData } from './delete-account-data.ts'
import { deleteRoomTag } from './delete-room-tag.ts'
import { getAccountDataPerRoom } from './get-account-data-per-room.ts'
import { getAccountData } from './get-account-data.ts'
import { getRoomTags } from './get-room-tags.ts'
import { setAccountDataPerRoom } from './set-account-data-per-room.ts'
import { setAccountData } from './set-account-data.ts'
import { setRoomTag } from './set-room-tag.ts'

/** Account data and tags. */
export const accountDataEndpoints: readonly AnyEndpoint[] = [
  deleteAccountDataPerRoom,
  deleteAccountData,
  deleteRoomTag,
  getAccountDataPerRoom,
  getAccountData,
  getRoomTags,
  setAccountDataPerRoom,
  setAccountData,
  setRoomTag,
]
