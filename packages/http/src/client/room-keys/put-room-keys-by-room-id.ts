// SPDX-License-Identifier: Apache-2.0
import { storeSessions } from '@myelin/services/keys/backed-up-sessions'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { BackupStateReply } from './backup-reply.ts'
import { ROOM_KEYS, RoomKeysParams, RoomSchema, sessionsFrom, VersionQuery } from './session-schemas.ts'

/**
 * Stores keys of a room in a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomid
 */
export const putRoomKeysByRoomId = endpoint({
  id: 'putRoomKeysByRoomId',
  method: 'PUT',
  path: ROOM_KEYS,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  params: RoomKeysParams,
  query: VersionQuery,
  body: RoomSchema,
  reply: BackupStateReply,

  handle: ({ params: { roomId }, query: { version }, body, requester: { userId: user } }, rt) =>
    storeSessions(rt, { user, version }, sessionsFrom(roomId, body)),
})
