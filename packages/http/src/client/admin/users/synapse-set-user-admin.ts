// SPDX-License-Identifier: Apache-2.0
import { setAdminUser } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { EmptySchema } from '../../../reply-schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Makes a user a server admin, or an ordinary user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#change-whether-a-user-is-a-server-administrator-or-not
 */
export const synapseSetUserAdmin = endpoint({
  id: 'synapseSetUserAdmin',
  method: 'PUT',
  path: '/_synapse/admin/v1/users/:userId/admin',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ admin: Type.Boolean() }),
  reply: EmptySchema,

  async handle({ params: { userId }, body: { admin }, requester }, rt) {
    await setAdminUser(rt, requester, userId, admin)
    return {}
  },
})
