// SPDX-License-Identifier: Apache-2.0
import { refreshSession } from '@myelin/services/accounts/refresh-session'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { tokensBody } from './session-body.ts'

/**
 * Trades a refresh token for fresh tokens.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3refresh
 */
export const refresh = endpoint({
  id: 'refresh',
  method: 'POST',
  path: '/_matrix/client/v3/refresh',
  access: 'none',
  body: Type.Object({ refresh_token: Type.String() }),
  handle: async ({ body }, rt) => tokensBody(await refreshSession(rt, body.refresh_token)),
})
