// SPDX-License-Identifier: Apache-2.0
import { readAccountData } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { GLOBAL_ENTRY, GlobalEntryParams } from './account-data-paths.ts'

/**
 * Returns an entry of the requester's global account data.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridaccount_datatype
 */
export const getAccountData = endpoint({
  id: 'getAccountData',
  method: 'GET',
  path: GLOBAL_ENTRY,
  access: 'user',
  params: GlobalEntryParams,
  reply: ObjectSchema,

  handle: async ({ params: { userId, type }, requester }, rt) =>
    readAccountData(rt, { userId: ownUser(requester, userId), roomId: undefined, type }),
})
