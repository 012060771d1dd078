// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { PUSH_KINDS } from '@myelin/rules/push/rule'
import type { PushKind, PushRule } from '@myelin/rules/push/rule'
import { faultOfRuleId } from '@myelin/rules/push/rule-ids'

/** The kinds of push rules. */
export const RULE_KINDS: readonly PushKind[] = PUSH_KINDS

/** The name of a push rule. */
export interface RuleName {
  readonly kind: PushKind
  readonly ruleId: string
}

const ACTIONS = ['notify', 'dont_notify', 'coalesce']

/**
 * Returns the push rule of a request, without members that its kind does not have; throws if it is invalid.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export function draftedRule({ kind, ruleId }: RuleName, wanted: JsonObject): PushRule {
  const fault = fitsBytes(ruleId, 255) ? faultOfRuleId(kind, ruleId) : 'a rule ID has at most 255 bytes'
  if (fault !== undefined) throw new MatrixError('M_INVALID_PARAM', fault)
  const rule = { rule_id: ruleId, default: false, enabled: true, actions: checkedActions(wanted) }
  if (kind === 'override' || kind === 'postcontent' || kind === 'underride')
    return { ...rule, conditions: checkedConditions(wanted) }
  return kind === 'content' ? { ...rule, pattern: checkedPattern(wanted) } : rule
}

/** Returns the actions in a body: `notify`, tweaks, and the historical ones without effect. */
export function checkedActions(wanted: JsonObject): readonly Json[] {
  const actions = member(wanted, 'actions')
  if (actions === undefined) throw new MatrixError('M_MISSING_PARAM', '`actions` is missing')
  if (!isList(actions) || !actions.every(isAction)) {
    throw new MatrixError('M_BAD_JSON', '`actions` must be a list of `notify` and tweaks')
  }
  return actions
}

function isAction(action: Json): boolean {
  if (isObject(action)) return stringMember(action, 'set_tweak') !== undefined
  return typeof action === 'string' && ACTIONS.includes(action)
}

/** Returns the conditions of a rule. Unknown kinds are stored; they never hold. */
function checkedConditions(wanted: JsonObject): readonly Json[] {
  const conditions = member(wanted, 'conditions')
  if (conditions === undefined) return []
  const isWhole = (each: Json) => isObject(each) && stringMember(each, 'kind') !== undefined
  if (!isList(conditions) || !conditions.every(isWhole)) {
    throw new MatrixError('M_BAD_JSON', '`conditions` must be a list of objects with a `kind`')
  }
  return conditions
}

function checkedPattern(wanted: JsonObject): string {
  const pattern = member(wanted, 'pattern')
  if (pattern === undefined) throw new MatrixError('M_MISSING_PARAM', '`pattern` is missing in a content rule')
  if (typeof pattern !== 'string') throw new MatrixError('M_BAD_JSON', '`pattern` must be a string')
  return pattern
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
