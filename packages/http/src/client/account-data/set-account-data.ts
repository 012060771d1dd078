// SPDX-License-Identifier: Apache-2.0
import { setAccountData as putEntry } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { GLOBAL_ENTRY, GlobalEntryParams } from './account-data-paths.ts'

/**
 * Stores an entry of the requester's global account data.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridaccount_datatype
 */
export const setAccountData = endpoint({
  id: 'setAccountData',
  method: 'PUT',
  path: GLOBAL_ENTRY,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: GlobalEntryParams,
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ params: { userId, type }, body, requester }, rt) {
    await putEntry(rt, { userId: ownUser(requester, userId), roomId: undefined, type }, body)
    return {}
  },
})
