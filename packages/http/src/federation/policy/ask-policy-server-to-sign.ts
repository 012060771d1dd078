// SPDX-License-Identifier: Apache-2.0
import { answerSign } from '@myelin/services/federation/serve/answer-sign'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

/** An event has at most 64 KiB in its canonical form, and `unsigned` is not part of that. */
const MAX_BODY_BYTES = 256 * 1024

/**
 * Signs an event that another server wants to let into a room whose policy server we are.
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
  handle: ({ origin, body }, rt) => answerSign(rt, origin, body),
})
