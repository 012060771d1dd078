// SPDX-License-Identifier: Apache-2.0
import { storeSessions } from '@myelin/services/keys/backed-up-sessions'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { mapOf } from '../../schemas.ts'
import { BackupStateReply } from './backup-reply.ts'
import { BACKUP_KEYS, RoomKeySchema, RoomSchema, sessionsFrom, VersionQuery } from './session-schemas.ts'

/**
 * Stores keys of several rooms in a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys
 */
export const putRoomKeys = endpoint({
  id: 'putRoomKeys',
  method: 'PUT',
  path: BACKUP_KEYS,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  query: VersionQuery,
  body: Type.Object({ rooms: mapOf(RoomKeySchema, RoomSchema) }),
  reply: BackupStateReply,

  async handle({ query: { version }, body, requester: { userId: user } }, rt) {
    const sessions = Object.entries(body.rooms).flatMap(([roomId, room]) => sessionsFrom(roomId, room))
    return storeSessions(rt, { user, version }, sessions)
  },
})
