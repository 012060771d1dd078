// SPDX-License-Identifier: Apache-2.0
import { deletePushRule as removeRule } from '@myelin/services/account-data/edit-push-rules'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { PUSH_RULE, RuleParams } from './rule-schemas.ts'

/**
 * Deletes one of the requester's push rules.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3pushrulesglobalkindruleid
 */
export const deletePushRule = endpoint({
  id: 'deletePushRule',
  method: 'DELETE',
  path: PUSH_RULE,
  access: 'user',
  params: RuleParams,
  reply: EmptySchema,

  async handle({ params, requester }, rt) {
    await removeRule(rt, requester.userId, params)
    return {}
  },
})
