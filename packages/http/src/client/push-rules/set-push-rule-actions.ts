// SPDX-License-Identifier: Apache-2.0
import { setPushActions } from '@myelin/services/account-data/edit-push-rules'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { PUSH_RULE, RuleParams } from './rule-schemas.ts'

/**
 * Replaces the actions of a push rule of the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidactions
 */
export const setPushRuleActions = endpoint({
  id: 'setPushRuleActions',
  method: 'PUT',
  path: `${PUSH_RULE}/actions`,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: RuleParams,
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await setPushActions(rt, requester.userId, params, body)
    return {}
  },
})
