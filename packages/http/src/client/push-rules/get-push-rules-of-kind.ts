// SPDX-License-Identifier: Apache-2.0
import { readPushRules } from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { KindSchema, PUSH_RULES, RulesReply } from './rule-schemas.ts'

/** Returns the requester's push rules of one kind. The spec no longer has this operation; clients still use it. */
export const getPushRulesOfKind = endpoint({
  id: 'getPushRulesOfKind',
  method: 'GET',
  path: [`${PUSH_RULES}/global/:kind/`, `${PUSH_RULES}/global/:kind`],
  access: 'user',
  params: Type.Object({ kind: KindSchema }),
  reply: RulesReply,

  handle: async ({ params, requester }, rt) => (await readPushRules(rt, requester.userId))[params.kind],
})
