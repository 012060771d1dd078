// SPDX-License-Identifier: Apache-2.0
import { logInAs } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { optionalOrNull } from '../../../optional-or-null.ts'
import { SafeInteger } from '../../../schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns an access token by which the admin acts for a user, without a device.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#login-as-a-user
 */
export const synapseLogInAsUser = endpoint({
  id: 'synapseLogInAsUser',
  method: 'POST',
  path: '/_synapse/admin/v1/users/:userId/login',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ valid_until_ms: optionalOrNull(SafeInteger) }),
  bodyMayBeAbsent: true,
  reply: Type.Object({ access_token: Type.String() }),

  async handle({ params: { userId }, body, requester }, rt) {
    return { access_token: await logInAs(rt, requester, userId, body.valid_until_ms ?? null) }
  },
})
