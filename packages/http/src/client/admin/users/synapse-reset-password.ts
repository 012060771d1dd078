// SPDX-License-Identifier: Apache-2.0
import { resetPassword } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { EmptySchema } from '../../../reply-schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Sets the password of a user, and logs their devices out unless `logout_devices` is false.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#reset-password
 */
export const synapseResetPassword = endpoint({
  id: 'synapseResetPassword',
  method: 'POST',
  path: '/_synapse/admin/v1/reset_password/:userId',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ new_password: Type.String(), logout_devices: Type.Optional(Type.Boolean()) }),
  reply: EmptySchema,

  async handle({ params: { userId }, body, requester }, rt) {
    const order = { password: body.new_password, logsOutDevices: body.logout_devices ?? true }
    await resetPassword(rt, requester, userId, order)
    return {}
  },
})
