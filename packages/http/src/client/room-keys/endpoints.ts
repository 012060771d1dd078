// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteRoomKeys, getRoomKeys, putRoomKeys } from './all-keys.ts'
import { deleteRoomKeyBySessionId, getRoomKeyBySessionId, putRoomKeyBySessionId } from './key-of-session.ts'
import { deleteRoomKeysByRoomId, getRoomKeysByRoomId, putRoomKeysByRoomId } from './keys-of-room.ts'
import {
  deleteRoomKeysVersion,
  getRoomKeysVersion,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeysVersion,
} from './versions.ts'

/** Backups of the keys that read encrypted rooms. */
export const roomKeyEndpoints: readonly AnyEndpoint[] = [
  deleteRoomKeyBySessionId,
  deleteRoomKeys,
  deleteRoomKeysByRoomId,
  deleteRoomKeysVersion,
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysByRoomId,
  getRoomKeysVersion,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
  putRoomKeys,
  putRoomKeysByRoomId,
  putRoomKeysVersion,
]
