// SPDX-License-Identifier: Apache-2.0
import { readPushRule } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { PUSH_RULE, RuleParams } from './rule-schemas.ts'

/**
 * Returns whether a push rule of the requester is enabled.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidenabled
 */
export const isPushRuleEnabled = endpoint({
  id: 'isPushRuleEnabled',
  method: 'GET',
  path: `${PUSH_RULE}/enabled`,
  access: 'user',
  params: RuleParams,
  reply: Type.Object({ enabled: Type.Boolean() }),

  async handle({ params, requester }, rt) {
    const { enabled } = await readPushRule(rt, requester.userId, params)
    return { enabled }
  },
})
