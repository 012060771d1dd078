// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getAccountData, getAccountDataPerRoom, setAccountData, setAccountDataPerRoom } from './entries.ts'
import { deleteRoomTag, getRoomTags, setRoomTag } from './tags.ts'

/** What users keep for themselves, for all rooms or for one. */
export const accountDataEndpoints: readonly AnyEndpoint[] = [
  setAccountData,
  getAccountData,
  setAccountDataPerRoom,
  getAccountDataPerRoom,
  getRoomTags,
  setRoomTag,
  deleteRoomTag,
]
