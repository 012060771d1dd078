// SPDX-License-Identifier: Apache-2.0
import { readBackup } from '@myelin/services/keys/key-backup'
import { endpoint } from '../../endpoint.ts'
import { SummaryReply, summaryReply, VERSION, VersionParams } from './version-schemas.ts'

/**
 * Returns the definition of one of the requester's backups.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversionversion
 */
export const getRoomKeysVersion = endpoint({
  id: 'getRoomKeysVersion',
  method: 'GET',
  path: VERSION,
  access: 'user',
  params: VersionParams,
  reply: SummaryReply,

  handle: async ({ params, requester }, rt) => summaryReply(await readBackup(rt, requester.userId, params.version)),
})
