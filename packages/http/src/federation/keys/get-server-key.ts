// SPDX-License-Identifier: Apache-2.0
import { publishedKeys } from '@myelin/services/peers/trust/published-keys'
import { endpoint } from '../../endpoint.ts'
import { ServerKeysReply } from './server-keys-reply.ts'

/**
 * Returns this server's public keys. Older servers put a key id into the path; the reply is the same.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server
 */
export const getServerKey = endpoint({
  id: 'getServerKey',
  method: 'GET',
  path: ['/_matrix/key/v2/server', '/_matrix/key/v2/server/:keyId'],
  access: 'none',
  reply: ServerKeysReply,

  handle: async (_, rt) => publishedKeys(rt),
})
