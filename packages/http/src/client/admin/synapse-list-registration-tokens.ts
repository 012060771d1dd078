// SPDX-License-Identifier: Apache-2.0
import { listRegistrationTokens } from '@myelin/services/accounts/registration-tokens'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { FlagSchema } from '../../schemas.ts'
import { TOKENS, TokenReply, tokenReply } from './registration-token-schemas.ts'

/**
 * Returns all registration tokens, or those that are or are not valid.
 *
 * @see https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html
 */
export const synapseListRegistrationTokens = endpoint({
  id: 'synapseListRegistrationTokens',
  method: 'GET',
  path: TOKENS,
  access: 'admin',
  query: Type.Object({ valid: Type.Optional(FlagSchema) }),
  reply: Type.Object({ registration_tokens: Type.Array(TokenReply) }),

  async handle({ query }, rt) {
    return { registration_tokens: (await listRegistrationTokens(rt, query.valid)).map(tokenReply) }
  },
})
