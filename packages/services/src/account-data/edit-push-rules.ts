// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { isObject, member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { defaultRules } from '@myelin/rules/push/default-rules'
import type { OwnRules } from '@myelin/rules/push/default-rules'
import type { PushRule, PushRuleset } from '@myelin/rules/push/rule'
import { putPushRules } from '@myelin/storage/accounts/push-rules'
import type { Runtime } from '../runtime/runtime.ts'
import { checkedActions, draftedRule } from './push-rule-draft.ts'
import type { RuleName } from './push-rule-draft.ts'
import { ownRules, rulesOf } from './push-rules.ts'

type Needs = Pick<Runtime, 'db' | 'config'>

/** The user's rule before or after which a rule is placed. */
export interface RulePlace {
  readonly before?: string | undefined
  readonly after?: string | undefined
}

// All changes of a user together: they are read whenever unread events are counted.
const MAX_BYTES = 512 * 1024
const UNCHANGED: OwnRules = { added: {}, changed: new Map() }

/** Returns all push rules of a user: their own and the default ones. */
export async function readPushRules(rt: Needs, user: UserId): Promise<PushRuleset> {
  return rulesOf(rt.db.read, user, rt.config.push)
}

/** Returns one push rule of a user, their own or a default one; throws `M_NOT_FOUND` if there is none. */
export async function readPushRule(rt: Needs, user: UserId, name: RuleName): Promise<PushRule> {
  const rules = await rulesOf(rt.db.read, user, rt.config.push)
  return rules[name.kind].find((rule) => rule.rule_id === name.ruleId) ?? missing()
}

/**
 * Adds or changes a rule of the user. It is placed beside another rule, else where it was, else first of its kind.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export async function putPushRule(
  rt: Needs,
  user: UserId,
  name: RuleName,
  wanted: { readonly rule: JsonObject; readonly place: RulePlace },
): Promise<void> {
  const drafted = draftedRule(name, wanted.rule)
  await edit(rt, user, (own) => {
    const mine = own.added[name.kind] ?? []
    const before = mine.find((each) => each.rule_id === name.ruleId)
    const rule = before ? { ...drafted, enabled: before.enabled } : drafted
    return withAdded(own, name, placed(mine, rule, wanted.place))
  })
}

function placed(mine: readonly PushRule[], rule: PushRule, { before, after }: RulePlace): PushRule[] {
  const others = mine.filter((each) => each.rule_id !== rule.rule_id)
  for (const anchor of [before, after]) {
    if (anchor !== undefined && !others.some((each) => each.rule_id === anchor)) {
      throw new MatrixError('M_UNKNOWN', `before/after rule not found: ${anchor}`, { status: 400 })
    }
  }
  const indexOf = (id: string) => others.findIndex((each) => each.rule_id === id)
  if (before !== undefined) return others.toSpliced(indexOf(before), 0, rule)
  if (after !== undefined) return others.toSpliced(indexOf(after) + 1, 0, rule)
  const known = mine.findIndex((each) => each.rule_id === rule.rule_id)
  return known === -1 ? [rule, ...mine] : mine.with(known, rule)
}

/** Deletes one of the user's own rules; throws `M_NOT_FOUND` for a default one. */
export async function deletePushRule(rt: Needs, user: UserId, name: RuleName): Promise<void> {
  await edit(rt, user, (own) => {
    const mine = own.added[name.kind] ?? []
    if (!mine.some((each) => each.rule_id === name.ruleId)) return missing()
    return withAdded(
      own,
      name,
      mine.filter((each) => each.rule_id !== name.ruleId),
    )
  })
}

/** Enables or disables a rule, the user's own or a default one. */
export async function switchPushRule(rt: Needs, user: UserId, name: RuleName, isEnabled: boolean): Promise<void> {
  await edit(rt, user, (own) => changedRule(own, defaultRules(user, rt.config.push), name, { enabled: isEnabled }))
}

/** Replaces the actions of a rule, the user's own or a default one. */
export async function setPushActions(rt: Needs, user: UserId, name: RuleName, wanted: JsonObject): Promise<void> {
  const actions = checkedActions(wanted)
  await edit(rt, user, (own) => changedRule(own, defaultRules(user, rt.config.push), name, { actions }))
}

/** Copies a user's rules for one room to another; existing rules stay. */
export async function copyRoomRules(rt: Pick<Runtime, 'db'>, user: UserId, from: RoomId, to: RoomId): Promise<void> {
  const isAbout = (rule: PushRule) => rule.rule_id.includes(from)
  const own = await ownRules(rt.db.read, user)
  if (!own || !Object.values(own.added).some((rules) => rules.some(isAbout))) return
  await edit(rt, user, ({ added, changed }) => {
    const kinds = Object.entries(added).map(([kind, rules]) => {
      const copies = rules.filter(isAbout).map((rule) => aboutRoom(rule, from, to))
      const known = new Set(rules.map((rule) => rule.rule_id))
      return [kind, [...copies.filter((rule) => !known.has(rule.rule_id)), ...rules]]
    })
    return { added: Object.fromEntries(kinds) as OwnRules['added'], changed }
  })
}

function aboutRoom(rule: PushRule, from: RoomId, to: RoomId): PushRule {
  const conditions = member(rule, 'conditions')
  const turned = (condition: Json) =>
    isObject(condition) && condition['key'] === 'room_id' && condition['pattern'] === from
      ? { ...condition, pattern: to }
      : condition
  return {
    ...rule,
    rule_id: rule.rule_id.replace(from, to),
    ...(Array.isArray(conditions) ? { conditions: (conditions as readonly Json[]).map(turned) } : {}),
  }
}

type Change = { readonly enabled?: boolean; readonly actions?: readonly Json[] }

function changedRule(own: OwnRules, defaults: PushRuleset, name: RuleName, change: Change): OwnRules {
  const mine = own.added[name.kind] ?? []
  const at = mine.findIndex((each) => each.rule_id === name.ruleId)
  const found = mine[at]
  if (found) return withAdded(own, name, mine.with(at, { ...found, ...change }))
  const original = defaults[name.kind].find((each) => each.rule_id === name.ruleId) ?? missing()
  const rest = differences(original, { ...own.changed.get(name.ruleId), ...change })
  const changed = new Map(own.changed)
  if (Object.keys(rest).length === 0) changed.delete(name.ruleId)
  else changed.set(name.ruleId, rest)
  return { ...own, changed }
}

/** Returns how a rule differs from the default one; undefined once all changes were undone. */
function differences(original: PushRule, { enabled, actions }: Change): Change {
  const hasOtherActions = actions !== undefined && canonicalJson(actions) !== canonicalJson(original.actions)
  return {
    ...(enabled === undefined || enabled === original.enabled ? {} : { enabled }),
    ...(hasOtherActions ? { actions } : {}),
  }
}

function withAdded(own: OwnRules, { kind }: RuleName, rules: readonly PushRule[]): OwnRules {
  const { [kind]: _, ...others } = own.added
  return { ...own, added: rules.length === 0 ? others : { ...others, [kind]: rules } }
}

/** Reads and writes in one transaction, so that concurrent edits see each other. */
async function edit(rt: Pick<Runtime, 'db'>, user: UserId, change: (own: OwnRules) => OwnRules): Promise<void> {
  await rt.db.write(async (tx) => {
    const { added, changed } = change((await ownRules(tx, user)) ?? UNCHANGED)
    const hasNone = Object.keys(added).length === 0 && changed.size === 0
    const rules = hasNone ? '' : JSON.stringify({ added, changed: Object.fromEntries(changed) })
    if (!fitsBytes(rules, MAX_BYTES)) throw new MatrixError('M_TOO_LARGE', 'too many push rules')
    await putPushRules(tx, user, rules)
  })
}

function missing(): never {
  throw new MatrixError('M_NOT_FOUND', 'no such push rule')
}
