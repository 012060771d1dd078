// SPDX-License-Identifier: Apache-2.0
import { checkUsernameAvailable } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'

/**
 * Returns true where a username is valid and free, whether registration is enabled or not.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#check-username-availability
 */
export const synapseIsUsernameAvailable = endpoint({
  id: 'synapseIsUsernameAvailable',
  method: 'GET',
  path: '/_synapse/admin/v1/username_available',
  access: 'admin',
  query: Type.Object({ username: Type.String() }),
  reply: Type.Object({ available: Type.Boolean() }),

  async handle({ query: { username } }, rt) {
    await checkUsernameAvailable(rt, username)
    return { available: true }
  },
})
