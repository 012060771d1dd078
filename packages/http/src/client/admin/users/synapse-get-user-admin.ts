// SPDX-License-Identifier: Apache-2.0
import { isAdminUser } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns whether a user is a server admin.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#get-whether-a-user-is-a-server-administrator-or-not
 */
export const synapseGetUserAdmin = endpoint({
  id: 'synapseGetUserAdmin',
  method: 'GET',
  path: '/_synapse/admin/v1/users/:userId/admin',
  access: 'admin',
  params: UserParams,
  reply: Type.Object({ admin: Type.Boolean() }),

  handle: async ({ params: { userId } }, rt) => ({ admin: await isAdminUser(rt, userId) }),
})
