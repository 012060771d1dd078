// SPDX-License-Identifier: Apache-2.0
import { removeSessions } from '@myelin/services/keys/backed-up-sessions'
import { endpoint } from '../../endpoint.ts'
import { BackupStateReply } from './backup-reply.ts'
import { ROOM_KEYS, RoomKeysParams, VersionQuery } from './session-schemas.ts'

/**
 * Deletes the keys of a room from a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomid
 */
export const deleteRoomKeysByRoomId = endpoint({
  id: 'deleteRoomKeysByRoomId',
  method: 'DELETE',
  path: ROOM_KEYS,
  access: 'user',
  params: RoomKeysParams,
  query: VersionQuery,
  reply: BackupStateReply,

  handle: ({ params: { roomId }, query: { version }, requester: { userId: user } }, rt) =>
    removeSessions(rt, { user, version, roomId }),
})
