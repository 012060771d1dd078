// SPDX-License-Identifier: Apache-2.0
import { readPushRule } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ActionsSchema, PUSH_RULE, RuleParams } from './rule-schemas.ts'

/**
 * Returns the actions of a push rule of the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidactions
 */
export const getPushRuleActions = endpoint({
  id: 'getPushRuleActions',
  method: 'GET',
  path: `${PUSH_RULE}/actions`,
  access: 'user',
  params: RuleParams,
  reply: Type.Object({ actions: ActionsSchema }),

  async handle({ params, requester }, rt) {
    const { actions } = await readPushRule(rt, requester.userId, params)
    return { actions }
  },
})
