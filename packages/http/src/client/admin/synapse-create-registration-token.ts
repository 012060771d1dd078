// SPDX-License-Identifier: Apache-2.0
import { createRegistrationToken, TOKEN_LENGTH } from '@myelin/services/accounts/registration-tokens'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import {
  LengthSchema,
  limitMembers,
  limitsOf,
  TOKENS,
  TokenReply,
  tokenReply,
  TokenText,
} from './registration-token-schemas.ts'

/**
 * Creates a registration token, with a random name unless the body has one.
 *
 * @see https://element-hq.github.io/synapse/latest/usage/administration/admin_api/registration_tokens.html
 */
export const synapseCreateRegistrationToken = endpoint({
  id: 'synapseCreateRegistrationToken',
  method: 'POST',
  path: `${TOKENS}/new`,
  access: 'admin',
  body: Type.Object({ token: Type.Optional(TokenText), length: Type.Optional(LengthSchema), ...limitMembers }),
  reply: TokenReply,

  async handle({ body }, rt) {
    const token = body.token ?? rt.random.token(body.length ?? TOKEN_LENGTH)
    const limits = { usesAllowed: undefined, expiresTs: undefined, ...limitsOf(body) }
    return tokenReply(await createRegistrationToken(rt, token, limits))
  },
})
