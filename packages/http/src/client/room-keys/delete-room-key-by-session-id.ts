// SPDX-License-Identifier: Apache-2.0
import { removeSessions } from '@myelin/services/keys/backed-up-sessions'
import { endpoint } from '../../endpoint.ts'
import { BackupStateReply } from './backup-reply.ts'
import { SESSION_KEY, SessionKeyParams, VersionQuery } from './session-schemas.ts'

/**
 * Deletes the key of a session from a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomidsessionid
 */
export const deleteRoomKeyBySessionId = endpoint({
  id: 'deleteRoomKeyBySessionId',
  method: 'DELETE',
  path: SESSION_KEY,
  access: 'user',
  params: SessionKeyParams,
  query: VersionQuery,
  reply: BackupStateReply,

  handle: ({ params, query: { version }, requester: { userId: user } }, rt) =>
    removeSessions(rt, { user, version, ...params }),
})
