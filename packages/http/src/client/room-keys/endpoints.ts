// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteRoomKeyBySessionId } from './delete-room-key-by-session-id.ts'
import { deleteRoomKeysByRoomId } from './delete-room-keys-by-room-id.ts'
import { deleteRoomKeysVersion } from './delete-room-keys-version.ts'
import { deleteRoomKeys } from './delete-room-keys.ts'
import { getRoomKeyBySessionId } from './get-room-key-by-session-id.ts'
import { getRoomKeysByRoomId } from './get-room-keys-by-room-id.ts'
import { getRoomKeysVersionCurrent } from './get-room-keys-version-current.ts'
import { getRoomKeysVersion } from './get-room-keys-version.ts'
import { getRoomKeys } from './get-room-keys.ts'
import { postRoomKeysVersion } from './post-room-keys-version.ts'
import { putRoomKeyBySessionId } from './put-room-key-by-session-id.ts'
import { putRoomKeysByRoomId } from './put-room-keys-by-room-id.ts'
import { putRoomKeysVersion } from './put-room-keys-version.ts'
import { putRoomKeys } from './put-room-keys.ts'

/** Backups of room keys. */
export const roomKeyEndpoints: readonly AnyEndpoint[] = [
  deleteRoomKeyBySessionId,
  deleteRoomKeysByRoomId,
  deleteRoomKeysVersion,
  deleteRoomKeys,
  getRoomKeyBySessionId,
  getRoomKeysByRoomId,
  getRoomKeysVersionCurrent,
  getRoomKeysVersion,
  getRoomKeys,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
  putRoomKeysByRoomId,
  putRoomKeysVersion,
  putRoomKeys,
]
