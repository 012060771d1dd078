// SPDX-License-Identifier: Apache-2.0
import { isObject, type Json, member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { holds, matchesPattern, type PushContext } from './conditions.ts'
import { PUSH_KINDS, type PushKind, type PushRule, type PushRuleset } from './rule.ts'

/** The outcome of push rules for one user and event. */
export interface PushOutcome {
  readonly notify: boolean
  readonly highlight: boolean
  readonly sound?: string
  /** Every tweak that the rule sets, including unknown ones. */
  readonly tweaks: ReadonlyMap<string, Json>
  /** The rule that matched, if any. */
  readonly ruleId?: string
}

/**
 * Evaluates a user's push rules for an event: the first enabled rule that matches decides. The sender is never
 * notified of their own event.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#push-rules
 */
export function evaluate(rules: PushRuleset, event: Pdu, context: PushContext): PushOutcome {
  if (event.sender === context.userId) return SILENT
  for (const kind of PUSH_KINDS) {
    for (const rule of rules[kind]) if (rule.enabled && matches(kind, rule, event, context)) return outcomeOf(rule)
  }
  return SILENT
}

const SILENT: PushOutcome = Object.freeze({ notify: false, highlight: false, tweaks: new Map() })

function matches(kind: PushKind, rule: PushRule, event: Pdu, context: PushContext): boolean {
  switch (kind) {
    case 'override':
    case 'postcontent':
    case 'underride': {
      const conditions = member(rule, 'conditions')
      if (conditions === undefined) return true
      return Array.isArray(conditions) && conditions.every((each: Json) => holds(each, event, context))
    }
    case 'content': {
      const pattern = stringMember(rule, 'pattern')
      return pattern !== undefined && matchesPattern(event, 'content.body', pattern)
    }
    case 'room':
      return rule.rule_id === event.roomId
    case 'sender':
      return rule.rule_id === event.sender
  }
}

/** Returns the outcome of a rule: `notify` and tweaks count, historical and unknown actions do not. */
function outcomeOf(rule: PushRule): PushOutcome {
  const tweaks = new Map<string, Json>()
  for (const action of rule.actions) {
    const tweak = isObject(action) ? stringMember(action, 'set_tweak') : undefined
    if (tweak === undefined || !isObject(action)) continue
    const value = member(action, 'value')
    if (value !== undefined || tweak === 'highlight') tweaks.set(tweak, value ?? true)
  }
  const notify = rule.actions.includes('notify')
  const sound = tweaks.get('sound')
  return {
    notify,
    highlight: notify && tweaks.get('highlight') === true,
    ...(typeof sound === 'string' ? { sound } : {}),
    tweaks,
    ruleId: rule.rule_id,
  }
}
