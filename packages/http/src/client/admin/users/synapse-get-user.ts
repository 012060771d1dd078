// SPDX-License-Identifier: Apache-2.0
import { userDetails } from '@myelin/services/moderation/list-users'
import { endpoint } from '../../../endpoint.ts'
import { UserParams, UserReply, userReply } from './user-replies.ts'

/**
 * Returns a user of this server.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#query-user-account
 */
export const synapseGetUser = endpoint({
  id: 'synapseGetUser',
  method: 'GET',
  path: '/_synapse/admin/v2/users/:userId',
  access: 'admin',
  params: UserParams,
  reply: UserReply,

  handle: async ({ params: { userId } }, rt) => userReply(await userDetails(rt, userId)),
})
