// SPDX-License-Identifier: Apache-2.0
import { accountDataOfUser } from '@myelin/services/moderation/user-records'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { encodedObject, ObjectSchema, recordOf } from '../../../reply-schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns the account data of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#account-data
 */
export const synapseGetUserAccountData = endpoint({
  id: 'synapseGetUserAccountData',
  method: 'GET',
  path: '/_synapse/admin/v1/users/:userId/accountdata',
  access: 'admin',
  params: UserParams,
  reply: Type.Object({
    account_data: encodedObject(
      Type.Object({ global: recordOf(ObjectSchema), rooms: recordOf(recordOf(ObjectSchema)) }),
    ),
  }),

  handle: async ({ params: { userId } }, rt) => ({ account_data: await accountDataOfUser(rt, userId) }),
})
