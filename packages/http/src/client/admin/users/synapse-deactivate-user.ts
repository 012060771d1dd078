// SPDX-License-Identifier: Apache-2.0
import { deactivateUser } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { oneOf } from '../../../schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Deactivates a user; erases them as well where that is wanted.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#deactivate-account
 */
export const synapseDeactivateUser = endpoint({
  id: 'synapseDeactivateUser',
  method: 'POST',
  path: '/_synapse/admin/v1/deactivate/:userId',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ erase: Type.Optional(Type.Boolean()) }),
  bodyMayBeAbsent: true,
  reply: Type.Object({ id_server_unbind_result: oneOf(['success', 'no-support']) }),

  async handle({ params: { userId }, body: { erase = false } }, rt) {
    await deactivateUser(rt, userId, erase)
    // This server binds no third-party identifiers, so there are none to unbind.
    return { id_server_unbind_result: 'success' as const }
  },
})
