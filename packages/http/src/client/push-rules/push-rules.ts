// SPDX-License-Identifier: Apache-2.0
import {
  deletePushRule as removeRule,
  putPushRule,
  readPushRule,
  readPushRules,
} from '@myelin/services/account-data/edit-push-rules'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { KindSchema, RULE, RuleParams } from './rule-params.ts'

const ALL = '/_matrix/client/v3/pushrules'

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
export const getPushRules = endpoint({
  id: 'getPushRules',
  method: 'GET',
  path: [`${ALL}/`, ALL],
  access: 'user',
  async handle({ requester }, rt) {
    return { global: await readPushRules(rt, requester.userId) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobal */
export const getPushRulesGlobal = endpoint({
  id: 'getPushRulesGlobal',
  method: 'GET',
  path: [`${ALL}/global/`, `${ALL}/global`],
  access: 'user',
  async handle({ requester }, rt) {
    return readPushRules(rt, requester.userId)
  },
})

/** The rules of one kind: an old endpoint that the spec no longer has, and clients still ask. */
export const getPushRulesOfKind = endpoint({
  id: 'getPushRulesOfKind',
  method: 'GET',
  path: [`${ALL}/global/:kind/`, `${ALL}/global/:kind`],
  access: 'user',
  params: Type.Object({ kind: KindSchema }),
  async handle({ params, requester }, rt) {
    return (await readPushRules(rt, requester.userId))[params.kind]
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleid */
export const getPushRule = endpoint({
  id: 'getPushRule',
  method: 'GET',
  path: RULE,
  access: 'user',
  params: RuleParams,
  async handle({ params, requester }, rt) {
    return readPushRule(rt, requester.userId, params)
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid */
export const setPushRule = endpoint({
  id: 'setPushRule',
  method: 'PUT',
  path: RULE,
  access: 'user',
  maxBodyBytes: 65_536,
  params: RuleParams,
  query: Type.Object({ before: Type.Optional(Type.String()), after: Type.Optional(Type.String()) }),
  body: JsonObjectSchema,
  async handle({ params, query, body, requester }, rt) {
    const place = { before: query.before, after: query.after }
    await putPushRule(rt, requester.userId, params, { rule: body, place })
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3pushrulesglobalkindruleid */
export const deletePushRule = endpoint({
  id: 'deletePushRule',
  method: 'DELETE',
  path: RULE,
  access: 'user',
  params: RuleParams,
  async handle({ params, requester }, rt) {
    await removeRule(rt, requester.userId, params)
    return {}
  },
})
