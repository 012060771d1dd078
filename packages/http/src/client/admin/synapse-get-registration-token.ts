// SPDX-License-Identifier: Apache-2.0
import { showRegistrationToken } from '@myelin/services/accounts/registration-tokens'
import { endpoint } from '../../endpoint.ts'
import { TOKEN, TokenParams, TokenReply, tokenReply } from './registration-token-schemas.ts'

/**
 * Returns a registration token.
 *
 * @see https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html
 */
export const synapseGetRegistrationToken = endpoint({
  id: 'synapseGetRegistrationToken',
  method: 'GET',
  path: TOKEN,
  access: 'admin',
  params: TokenParams,
  reply: TokenReply,

  handle: async ({ params }, rt) => tokenReply(await showRegistrationToken(rt, params.token)),
})
