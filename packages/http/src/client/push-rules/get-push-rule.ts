// SPDX-License-Identifier: Apache-2.0
import { readPushRule } from '@myelin/services/account-data/edit-push-rules'
import { endpoint } from '../../endpoint.ts'
import { PUSH_RULE, PushRuleReply, RuleParams } from './rule-schemas.ts'

/**
 * Returns one of the requester's push rules.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleid
 */
export const getPushRule = endpoint({
  id: 'getPushRule',
  method: 'GET',
  path: PUSH_RULE,
  access: 'user',
  params: RuleParams,
  reply: PushRuleReply,

  handle: async ({ params, requester }, rt) => readPushRule(rt, requester.userId, params),
})
