// SPDX-License-Identifier: Apache-2.0
import { refreshSession } from '@myelin/services/accounts/refresh-session'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { TokensReply, tokensReply } from './session-reply.ts'

/**
 * Exchanges a refresh token for new tokens.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3refresh
 */
export const refresh = endpoint({
  id: 'refresh',
  method: 'POST',
  path: '/_matrix/client/v3/refresh',
  access: 'none',
  body: Type.Object({ refresh_token: Type.String() }),
  reply: TokensReply,

  handle: async ({ body }, rt) => tokensReply(await refreshSession(rt, body.refresh_token)),
})
