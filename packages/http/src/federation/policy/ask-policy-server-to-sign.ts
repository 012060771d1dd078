// SPDX-License-Identifier: Apache-2.0
import { answerSign } from '@myelin/services/federation/serve/answer-sign'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, recordOf } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { Type } from 'typebox'

/**
 * Returns this server's signature of an event, as the policy server of its room.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixpolicyv1sign
 */
export const askPolicyServerToSign = endpoint({
  id: 'askPolicyServerToSign',
  method: 'POST',
  path: '/_matrix/policy/v1/sign',
  access: 'server',
  body: JsonObjectSchema,
  maxBodyBytes: MAX_BODY_BYTES.content,
  reply: encodedObject(recordOf(recordOf(Type.String()))),

  handle: ({ origin, body }, rt) => answerSign(rt, origin, body),
})
