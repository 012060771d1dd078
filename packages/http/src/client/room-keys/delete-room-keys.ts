// SPDX-License-Identifier: Apache-2.0
import { removeSessions } from '@myelin/services/keys/backed-up-sessions'
import { endpoint } from '../../endpoint.ts'
import { BackupStateReply } from './backup-reply.ts'
import { BACKUP_KEYS, VersionQuery } from './session-schemas.ts'

/**
 * Deletes all keys of a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys
 */
export const deleteRoomKeys = endpoint({
  id: 'deleteRoomKeys',
  method: 'DELETE',
  path: BACKUP_KEYS,
  access: 'user',
  query: VersionQuery,
  reply: BackupStateReply,

  handle: ({ query: { version }, requester: { userId: user } }, rt) => removeSessions(rt, { user, version }),
})
