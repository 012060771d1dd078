// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import { answerKeyQuery } from '@myelin/services/federation/answer-key-query'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { OptionalText, OptionalInteger } from '../../schemas.ts'
import { NotaryReply } from './server-keys-reply.ts'

/**
 * Returns the public keys of another server. Older servers put a key id into the path.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2queryservername
 */
export const perspectivesKeyQuery = endpoint({
  id: 'perspectivesKeyQuery',
  method: 'GET',
  path: ['/_matrix/key/v2/query/:serverName', '/_matrix/key/v2/query/:serverName/:keyId'],
  access: 'none',
  params: Type.Object({ serverName: Type.String(), keyId: OptionalText }),
  query: Type.Object({ minimum_valid_until_ts: OptionalInteger }),
  reply: NotaryReply,

  async handle({ params: { serverName, keyId }, query, address }, rt) {
    if (!isServerName(serverName)) throw new MatrixError('M_INVALID_PARAM', '`serverName` must be a server name')
    const minimumValidUntilTs = query.minimum_valid_until_ts ?? rt.clock.now()
    return { server_keys: await answerKeyQuery(rt, address, [{ server: serverName, keyId, minimumValidUntilTs }]) }
  },
})
