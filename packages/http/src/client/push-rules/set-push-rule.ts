// SPDX-License-Identifier: Apache-2.0
import { putPushRule } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema, OptionalText } from '../../schemas.ts'
import { PUSH_RULE, RuleParams } from './rule-schemas.ts'

/**
 * Creates or replaces one of the requester's push rules.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export const setPushRule = endpoint({
  id: 'setPushRule',
  method: 'PUT',
  path: PUSH_RULE,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: RuleParams,
  query: Type.Object({ before: OptionalText, after: OptionalText }),
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ params, query, body, requester }, rt) {
    const place = { before: query.before, after: query.after }
    await putPushRule(rt, requester.userId, params, { rule: body, place })
    return {}
  },
})
