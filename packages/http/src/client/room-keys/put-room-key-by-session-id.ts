// SPDX-License-Identifier: Apache-2.0
import { storeSessions } from '@myelin/services/keys/backed-up-sessions'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { BackupStateReply } from './backup-reply.ts'
import { SESSION_KEY, sessionFrom, SessionKeyParams, SessionSchema, VersionQuery } from './session-schemas.ts'

/**
 * Stores the key of a session in a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid
 */
export const putRoomKeyBySessionId = endpoint({
  id: 'putRoomKeyBySessionId',
  method: 'PUT',
  path: SESSION_KEY,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: SessionKeyParams,
  query: VersionQuery,
  body: SessionSchema,
  reply: BackupStateReply,

  handle: ({ params: { roomId, sessionId }, query: { version }, body, requester: { userId: user } }, rt) =>
    storeSessions(rt, { user, version }, [sessionFrom(roomId, sessionId, body)]),
})
