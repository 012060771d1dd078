// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { readSessions } from '@myelin/services/keys/backed-up-sessions'
import { endpoint, Reply } from '../../endpoint.ts'
import { streamed } from '../../reply-schemas.ts'
import { BackupReply, backupText } from './backup-reply.ts'
import { BACKUP_KEYS, VersionQuery } from './session-schemas.ts'

/**
 * Returns all keys of a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys
 */
export const getRoomKeys = endpoint({
  id: 'getRoomKeys',
  method: 'GET',
  path: BACKUP_KEYS,
  access: 'user',
  query: VersionQuery,
  reply: streamed(BackupReply),

  async handle({ query: { version }, requester: { userId: user } }, rt) {
    const pages = await readSessions(rt, { user, version })
    return new Reply(200, Readable.from(backupText(pages)), { 'content-type': 'application/json' })
  },
})
