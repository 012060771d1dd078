// SPDX-License-Identifier: Apache-2.0
import { readPushRules } from '@myelin/services/account-data/edit-push-rules'
import { endpoint } from '../../endpoint.ts'
import { PUSH_RULES, RulesetReply } from './rule-schemas.ts'

/**
 * Returns the requester's push rules that apply to all devices, which are all there are.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobal
 */
export const getPushRulesGlobal = endpoint({
  id: 'getPushRulesGlobal',
  method: 'GET',
  path: [`${PUSH_RULES}/global/`, `${PUSH_RULES}/global`],
  access: 'user',
  reply: RulesetReply,

  handle: async ({ requester }, rt) => readPushRules(rt, requester.userId),
})
