// SPDX-License-Identifier: Apache-2.0
import { readPushRules } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { PUSH_RULES, RulesetReply } from './rule-schemas.ts'

/**
 * Returns the requester's push rules.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules
 */
export const getPushRules = endpoint({
  id: 'getPushRules',
  method: 'GET',
  path: [`${PUSH_RULES}/`, PUSH_RULES],
  access: 'user',
  reply: Type.Object({ global: RulesetReply }),

  handle: async ({ requester }, rt) => ({ global: await readPushRules(rt, requester.userId) }),
})
