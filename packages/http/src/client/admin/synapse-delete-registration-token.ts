// SPDX-License-Identifier: Apache-2.0
import { removeRegistrationToken } from '@myelin/services/accounts/registration-tokens'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { TOKEN, TokenParams } from './registration-token-schemas.ts'

/**
 * Deletes a registration token.
 *
 * @see https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html
 */
export const synapseDeleteRegistrationToken = endpoint({
  id: 'synapseDeleteRegistrationToken',
  method: 'DELETE',
  path: TOKEN,
  access: 'admin',
  params: TokenParams,
  reply: EmptySchema,

  async handle({ params }, rt) {
    await removeRegistrationToken(rt, params.token)
    return {}
  },
})
