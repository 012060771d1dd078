// SPDX-License-Identifier: Apache-2.0
import { answerSign } from '@myelin/services/federation/serve/answer-sign'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, recordOf } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { Type } from 'typebox'

/** An event has at most 64 KiB in canonical JSON; `unsigned` does not count. */
const MAX_BODY_BYTES = 256 * 1024

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
  maxBodyBytes: MAX_BODY_BYTES,
  reply: encodedObject(recordOf(recordOf(Type.String()))),

  handle: ({ origin, body }, rt) => answerSign(rt, origin, body),
})
