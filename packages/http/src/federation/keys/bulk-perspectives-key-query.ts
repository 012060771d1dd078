// SPDX-License-Identifier: Apache-2.0
import { answerKeyQuery, keyQuestionsOf } from '@myelin/services/federation/answer-key-query'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { NotaryReply } from './server-keys-reply.ts'

/**
 * Returns the public keys of several other servers.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query
 */
export const bulkPerspectivesKeyQuery = endpoint({
  id: 'bulkPerspectivesKeyQuery',
  method: 'POST',
  path: '/_matrix/key/v2/query',
  access: 'none',
  maxBodyBytes: MAX_BODY_BYTES.content,
  body: Type.Object({ server_keys: JsonObjectSchema }),
  reply: NotaryReply,

  handle: async ({ body, address }, rt) => ({
    server_keys: await answerKeyQuery(rt, address, keyQuestionsOf(body.server_keys, rt.clock.now())),
  }),
})
