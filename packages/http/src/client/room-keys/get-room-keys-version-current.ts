// SPDX-License-Identifier: Apache-2.0
import { readBackup } from '@myelin/services/keys/key-backup'
import { endpoint } from '../../endpoint.ts'
import { SummaryReply, summaryReply, VERSIONS } from './version-schemas.ts'

/**
 * Returns the definition of the requester's newest backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversion
 */
export const getRoomKeysVersionCurrent = endpoint({
  id: 'getRoomKeysVersionCurrent',
  method: 'GET',
  path: VERSIONS,
  access: 'user',
  reply: SummaryReply,

  handle: async ({ requester }, rt) => summaryReply(await readBackup(rt, requester.userId)),
})
