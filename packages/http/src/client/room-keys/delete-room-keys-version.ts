// SPDX-License-Identifier: Apache-2.0
import { deleteBackup } from '@myelin/services/keys/key-backup'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { VERSION, VersionParams } from './version-schemas.ts'

/**
 * Deletes a backup with all its keys.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keysversionversion
 */
export const deleteRoomKeysVersion = endpoint({
  id: 'deleteRoomKeysVersion',
  method: 'DELETE',
  path: VERSION,
  access: 'user',
  params: VersionParams,
  reply: EmptySchema,

  async handle({ params, requester }, rt) {
    await deleteBackup(rt, requester.userId, params.version)
    return {}
  },
})
