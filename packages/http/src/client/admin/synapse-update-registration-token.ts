// SPDX-License-Identifier: Apache-2.0
import { changeRegistrationToken } from '@myelin/services/accounts/registration-tokens'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { limitMembers, limitsOf, TOKEN, TokenParams, TokenReply, tokenReply } from './registration-token-schemas.ts'

/**
 * Changes the limits of a registration token; those that the body does not have stay.
 *
 * @see https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html
 */
export const synapseUpdateRegistrationToken = endpoint({
  id: 'synapseUpdateRegistrationToken',
  method: 'PUT',
  path: TOKEN,
  access: 'admin',
  params: TokenParams,
  body: Type.Object(limitMembers),
  reply: TokenReply,

  async handle({ params, body }, rt) {
    return tokenReply(await changeRegistrationToken(rt, params.token, limitsOf(body)))
  },
})
