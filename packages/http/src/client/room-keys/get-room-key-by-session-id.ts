// SPDX-License-Identifier: Apache-2.0
import { readSession } from '@myelin/services/keys/backed-up-sessions'
import { endpoint } from '../../endpoint.ts'
import { SessionReply, sessionReply } from './backup-reply.ts'
import { SESSION_KEY, SessionKeyParams, VersionQuery } from './session-schemas.ts'

/**
 * Returns the key of a session from a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomidsessionid
 */
export const getRoomKeyBySessionId = endpoint({
  id: 'getRoomKeyBySessionId',
  method: 'GET',
  path: SESSION_KEY,
  access: 'user',
  params: SessionKeyParams,
  query: VersionQuery,
  reply: SessionReply,

  handle: async ({ params, query: { version }, requester: { userId: user } }, rt) =>
    sessionReply(await readSession(rt, { user, version, ...params })),
})
