// SPDX-License-Identifier: Apache-2.0
import { requestOpenIdToken as createToken } from '@myelin/services/accounts/openid'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

/**
 * Returns an OpenID token with which a third party can verify the requester's user id.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridopenidrequest_token
 */
export const requestOpenIdToken = endpoint({
  id: 'requestOpenIdToken',
  method: 'POST',
  path: '/_matrix/client/v3/user/:userId/openid/request_token',
  access: 'guest',
  params: Type.Object({ userId: UserIdSchema }),
  bodyMayBeAbsent: true,
  body: Type.Object({}),
  reply: Type.Object({
    access_token: Type.String(),
    token_type: Type.String(),
    matrix_server_name: Type.String(),
    expires_in: Type.Integer(),
  }),

  async handle({ params, requester }, rt) {
    const { token, expiresInMs } = await createToken(rt, requester, params.userId)
    return {
      access_token: token,
      token_type: 'Bearer',
      matrix_server_name: rt.serverName,
      expires_in: expiresInMs / 1000,
    }
  },
})
