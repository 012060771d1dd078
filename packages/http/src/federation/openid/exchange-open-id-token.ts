// SPDX-License-Identifier: Apache-2.0
import { openIdOwner } from '@myelin/services/accounts/openid'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Returns the user an OpenID token was created for.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo
 */
export const exchangeOpenIdToken = endpoint({
  id: 'exchangeOpenIdToken',
  method: 'GET',
  path: '/_matrix/federation/v1/openid/userinfo',
  access: 'none',
  query: Type.Object({ access_token: OptionalText }),
  reply: Type.Object({ sub: Type.String() }),

  handle: async ({ query }, rt) => ({ sub: await openIdOwner(rt, query.access_token) }),
})
