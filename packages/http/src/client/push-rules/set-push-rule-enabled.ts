// SPDX-License-Identifier: Apache-2.0
import { switchPushRule } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { PUSH_RULE, RuleParams } from './rule-schemas.ts'

/**
 * Enables or disables a push rule of the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidenabled
 */
export const setPushRuleEnabled = endpoint({
  id: 'setPushRuleEnabled',
  method: 'PUT',
  path: `${PUSH_RULE}/enabled`,
  access: 'user',
  params: RuleParams,
  body: Type.Object({ enabled: Type.Boolean() }),
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await switchPushRule(rt, requester.userId, params, body.enabled)
    return {}
  },
})
