// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { MASTER_RULE } from './rule-ids.ts'
import { PUSH_KINDS, type PushKind, type PushRule, type PushRuleset } from './rule.ts'

/** A user's changes to the push rules. */
export interface OwnRules {
  /** The user's own rules, the first that matches first. */
  readonly added: Partial<Record<PushKind, readonly PushRule[]>>
  /** Server-default rules that the user enabled, disabled or gave other actions, by rule ID. */
  readonly changed: ReadonlyMap<string, { readonly enabled?: boolean; readonly actions?: readonly Json[] }>
}

/** The choice of server-default rules. */
export interface RuleChoice {
  /**
   * Includes the rules that look for names in the text, which version 1.17 removed and some clients and tests still
   * expect.
   */
  readonly withNamesInText?: boolean
  /** Enables the rule for encrypted events (MSC4028), which is disabled by default. */
  readonly withEncryptedEvents?: boolean
}

/**
 * Returns a user's complete rules in order: `.m.rule.master`, then by kind the user's own before the server's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export function rulesetOf(userId: UserId, own?: OwnRules, choice: RuleChoice = {}): PushRuleset {
  const rules = defaultRules(userId, choice)
  const withOwn = PUSH_KINDS.map((kind) => {
    const defaults = rules[kind].map((rule) => ({ ...rule, ...own?.changed.get(rule.rule_id) }))
    const [first, ...others] = defaults
    const added = own?.added[kind] ?? []
    return [kind, first?.rule_id === MASTER_RULE ? [first, ...added, ...others] : [...added, ...defaults]] as const
  })
  return Object.fromEntries(withOwn) as unknown as PushRuleset
}

/**
 * Returns the server-default rules of a user without changes: those of the specification, and those for polls (MSC3930), call
 * notifications (MSC4075), subscribed threads (MSC4306) and encrypted events (MSC4028).
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#default-override-rules
 */
export function defaultRules(userId: UserId, choice: RuleChoice = {}): PushRuleset {
  const names = choice.withNamesInText === true ? namesInText(userId) : { override: [], content: [] }
  return {
    override: [...overrideRules(userId, choice), ...names.override],
    content: names.content,
    postcontent: POSTCONTENT_RULES,
    room: [],
    sender: [],
    underride: UNDERRIDE_RULES,
  }
}

const SOUND = { set_tweak: 'sound', value: 'default' }
const RING = { set_tweak: 'sound', value: 'ring' }
const HIGHLIGHT = { set_tweak: 'highlight' }

function overrideRules(userId: UserId, { withEncryptedEvents = false }: RuleChoice): PushRule[] {
  return [
    { ...rule(MASTER_RULE, [], []), enabled: false },
    // MSC4028: a client that decides by itself what an encrypted event is worth enables it.
    {
      ...rule('.org.matrix.msc4028.encrypted_event', [matches('type', 'm.room.encrypted')], ['notify']),
      enabled: withEncryptedEvents,
    },
    rule('.m.rule.suppress_notices', [matches('content.msgtype', 'm.notice')], []),
    rule(
      '.m.rule.invite_for_me',
      [matches('type', 'm.room.member'), matches('content.membership', 'invite'), matches('state_key', userId)],
      ['notify', SOUND],
    ),
    rule('.m.rule.member_event', [matches('type', 'm.room.member')], []),
    rule(
      '.org.matrix.msc4075.rule.rtc.invite_for_me',
      [IS_CALL_NOTIFICATION, { kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: userId }],
      ['notify', RING],
    ),
    rule(
      '.org.matrix.msc4075.rule.rtc.invite_for_room',
      [
        IS_CALL_NOTIFICATION,
        { kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true },
        MAY_NOTIFY_ROOM,
      ],
      ['notify', RING],
    ),
    rule(
      '.m.rule.is_user_mention',
      [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: userId }],
      ['notify', SOUND, HIGHLIGHT],
    ),
    rule(
      '.m.rule.is_room_mention',
      [{ kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true }, MAY_NOTIFY_ROOM],
      ['notify', HIGHLIGHT],
    ),
    rule('.m.rule.tombstone', [matches('type', 'm.room.tombstone'), matches('state_key', '')], ['notify', HIGHLIGHT]),
    rule('.m.rule.reaction', [matches('type', 'm.reaction')], []),
    rule('.m.rule.room.server_acl', [matches('type', 'm.room.server_acl'), matches('state_key', '')], []),
    rule(
      '.m.rule.suppress_edits',
      [{ kind: 'event_property_is', key: 'content.m\\.relates_to.rel_type', value: 'm.replace' }],
      [],
    ),
    rule('.org.matrix.msc3930.rule.poll_response', [matches('type', 'org.matrix.msc3381.poll.response')], []),
  ]
}

const MAY_NOTIFY_ROOM = { kind: 'sender_notification_permission', key: 'room' }
const IS_CALL_NOTIFICATION = matches('type', 'org.matrix.msc4075.rtc.notification')
const IS_ONE_TO_ONE = { kind: 'room_member_count', is: '2' }

const isThreadState = (subscribed: boolean) => ({ kind: 'io.element.msc4306.thread_subscription', subscribed })

/** Hold for users who subscribe to threads only. */
const POSTCONTENT_RULES: readonly PushRule[] = [
  rule('.io.element.msc4306.rule.unsubscribed_thread', [isThreadState(false)], []),
  rule('.io.element.msc4306.rule.subscribed_thread', [isThreadState(true)], ['notify', SOUND]),
]

const UNDERRIDE_RULES: readonly PushRule[] = [
  rule('.m.rule.call', [matches('type', 'm.call.invite')], ['notify', RING]),
  rule('.m.rule.encrypted_room_one_to_one', [IS_ONE_TO_ONE, matches('type', 'm.room.encrypted')], ['notify', SOUND]),
  rule('.m.rule.room_one_to_one', [IS_ONE_TO_ONE, matches('type', 'm.room.message')], ['notify', SOUND]),
  rule('.m.rule.message', [matches('type', 'm.room.message')], ['notify']),
  rule('.m.rule.encrypted', [matches('type', 'm.room.encrypted')], ['notify']),
  ...['start', 'end'].flatMap((part) => {
    const isPart = matches('type', `org.matrix.msc3381.poll.${part}`)
    return [
      rule(`.org.matrix.msc3930.rule.poll_${part}_one_to_one`, [IS_ONE_TO_ONE, isPart], ['notify', SOUND]),
      rule(`.org.matrix.msc3930.rule.poll_${part}`, [isPart], ['notify']),
    ]
  }),
]

function namesInText(userId: UserId): { readonly override: PushRule[]; readonly content: PushRule[] } {
  const localpart = userId.slice(1, userId.indexOf(':'))
  const loud = ['notify', SOUND, HIGHLIGHT]
  const { conditions: _conditions, ...byText } = rule('.m.rule.contains_user_name', [], loud)
  return {
    override: [
      rule('.m.rule.contains_display_name', [{ kind: 'contains_display_name' }], loud),
      rule('.m.rule.roomnotif', [matches('content.body', '@room'), MAY_NOTIFY_ROOM], ['notify', HIGHLIGHT]),
    ],
    content: [{ ...byText, pattern: localpart } as unknown as PushRule],
  }
}

function rule(ruleId: string, conditions: readonly JsonObject[], actions: readonly Json[]): PushRule {
  return { rule_id: ruleId, default: true, enabled: true, conditions, actions }
}

function matches(key: string, pattern: string): JsonObject {
  return { kind: 'event_match', key, pattern }
}
