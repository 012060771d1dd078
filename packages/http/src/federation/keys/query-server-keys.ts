// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import { answerKeyQuery, keyQuestionsOf } from '@myelin/services/federation/answer-key-query'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

/**
 * Another server's keys, vouched for by this one. Older servers put a key ID into the path.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2queryservername
 */
export const perspectivesKeyQuery = endpoint({
  id: 'perspectivesKeyQuery',
  method: 'GET',
  path: ['/_matrix/key/v2/query/:serverName', '/_matrix/key/v2/query/:serverName/:keyId'],
  access: 'none',
  params: Type.Object({ serverName: Type.String(), keyId: Type.Optional(Type.String()) }),
  query: Type.Object({ minimum_valid_until_ts: Type.Optional(Type.Integer()) }),

  async handle({ params: { serverName, keyId }, query }, rt) {
    if (!isServerName(serverName)) throw new MatrixError('M_INVALID_PARAM', 'serverName must be a server name')
    const minimumValidUntilTs = query.minimum_valid_until_ts ?? rt.clock.now()
    return { server_keys: await answerKeyQuery(rt, [{ server: serverName, keyId, minimumValidUntilTs }]) }
  },
})

/**
 * The keys of many servers at once, vouched for by this one.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query
 */
export const bulkPerspectivesKeyQuery = endpoint({
  id: 'bulkPerspectivesKeyQuery',
  method: 'POST',
  path: '/_matrix/key/v2/query',
  access: 'none',
  body: Type.Object({ server_keys: JsonObjectSchema }),

  async handle({ body }, rt) {
    return { server_keys: await answerKeyQuery(rt, keyQuestionsOf(body.server_keys, rt.clock.now())) }
  },
})
