// SPDX-License-Identifier: Apache-2.0
import { readPushRule, setPushActions, switchPushRule } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { RULE, RuleParams } from './rule-params.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidenabled */
export const isPushRuleEnabled = endpoint({
  id: 'isPushRuleEnabled',
  method: 'GET',
  path: `${RULE}/enabled`,
  access: 'user',
  params: RuleParams,
  async handle({ params, requester }, rt) {
    const { enabled } = await readPushRule(rt, requester.userId, params)
    return { enabled }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidenabled */
export const setPushRuleEnabled = endpoint({
  id: 'setPushRuleEnabled',
  method: 'PUT',
  path: `${RULE}/enabled`,
  access: 'user',
  params: RuleParams,
  body: Type.Object({ enabled: Type.Boolean() }),
  async handle({ params, body, requester }, rt) {
    await switchPushRule(rt, requester.userId, params, body.enabled)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidactions */
export const getPushRuleActions = endpoint({
  id: 'getPushRuleActions',
  method: 'GET',
  path: `${RULE}/actions`,
  access: 'user',
  params: RuleParams,
  async handle({ params, requester }, rt) {
    const { actions } = await readPushRule(rt, requester.userId, params)
    return { actions }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidactions */
export const setPushRuleActions = endpoint({
  id: 'setPushRuleActions',
  method: 'PUT',
  path: `${RULE}/actions`,
  access: 'user',
  maxBodyBytes: 65_536,
  params: RuleParams,
  body: JsonObjectSchema,
  async handle({ params, body, requester }, rt) {
    await setPushActions(rt, requester.userId, params, body)
    return {}
  },
})
