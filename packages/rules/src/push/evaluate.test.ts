// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { alice, bob, carol, event, memberEvent, room } from '../fixtures/fixtures.ts'
import { holds, type PushContext } from './conditions.ts'
import { defaultRules, type OwnRules, rulesetOf } from './default-rules.ts'
import { evaluate } from './evaluate.ts'
import { splitPath } from './property-path.ts'
import type { PushRule } from './rule.ts'
import { faultOfRuleId, isServerDefault } from './rule-ids.ts'

const context: PushContext = {
  userId: bob,
  displayName: 'Bob B.',
  memberCount: 5,
  senderPower: 0,
  notificationLevel: () => 50,
}

/** An event whose JSON says what the event says. */
function seen(fields: Partial<Pdu> & Pick<Pdu, 'type'>): Pdu {
  const pdu = event(fields)
  const stateKey = pdu.stateKey === undefined ? {} : { state_key: pdu.stateKey }
  return { ...pdu, json: { type: pdu.type, sender: pdu.sender, content: pdu.content, ...stateKey } }
}

function text(body: string, content: JsonObject = {}): Pdu {
  return seen({ type: 'm.room.message', content: { msgtype: 'm.text', body, ...content } })
}

function custom(fields: JsonObject): PushRule {
  return { rule_id: 'mine', default: false, enabled: true, actions: ['notify'], ...fields }
}

describe('the default rules', () => {
  const sound = { set_tweak: 'sound', value: 'default' }
  test('are those of the spec, in its order', () => {
    const rules = defaultRules(bob)
    const ofSpec = ({ rule_id: id }: PushRule) => (id.startsWith('.m.rule.') ? [id.slice('.m.rule.'.length)] : [])
    assert.deepEqual(rules.override.flatMap(ofSpec), [
      'master',
      'suppress_notices',
      'invite_for_me',
      'member_event',
      'is_user_mention',
      'is_room_mention',
      'tombstone',
      'reaction',
      'room.server_acl',
      'suppress_edits',
    ])
    assert.deepEqual(rules.underride.flatMap(ofSpec), [
      'call',
      'encrypted_room_one_to_one',
      'room_one_to_one',
      'message',
      'encrypted',
    ])
    assert.deepEqual([rules.content, rules.room, rules.sender], [[], [], []])
    assert.deepEqual(
      rules.override.find(({ rule_id: id }) => id === '.m.rule.is_user_mention'),
      {
        rule_id: '.m.rule.is_user_mention',
        default: true,
        enabled: true,
        conditions: [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: bob }],
        actions: ['notify', sound, { set_tweak: 'highlight' }],
      },
    )
    for (const rule of [...rules.override, ...rules.underride]) {
      const isOff = ['.m.rule.master', '.org.matrix.msc4028.encrypted_event'].includes(rule.rule_id)
      assert.deepEqual([rule.default, rule.enabled], [true, !isOff])
    }
  })

  const mention = { 'm.mentions': { user_ids: [carol, bob] } }
  const atRoom = { 'm.mentions': { room: true } }
  const cases: readonly (readonly [name: string, event: Pdu, expected: string, given?: Partial<PushContext>])[] = [
    ['a message notifies', text('hello'), 'notify .m.rule.message'],
    ['a message between two sounds', text('hello'), 'notify default .m.rule.room_one_to_one', { memberCount: 2 }],
    ['an encrypted event notifies', seen({ type: 'm.room.encrypted' }), 'notify .m.rule.encrypted'],
    [
      'an encrypted event between two sounds',
      seen({ type: 'm.room.encrypted' }),
      'notify default .m.rule.encrypted_room_one_to_one',
      { memberCount: 2 },
    ],
    ['a notice is silent', text('hello', { msgtype: 'm.notice' }), '.m.rule.suppress_notices'],
    ['an edit is silent', text('hello', { 'm.relates_to': { rel_type: 'm.replace' } }), '.m.rule.suppress_edits'],
    ['a mention in a notice is silent', text('hello', { msgtype: 'm.notice', ...mention }), '.m.rule.suppress_notices'],
    ['a mention is loud', text('hello', mention), 'notify highlight default .m.rule.is_user_mention'],
    ['a mention of everybody by the weak is a message', text('hello', atRoom), 'notify .m.rule.message'],
    [
      'a mention of everybody by the strong is highlighted',
      text('hello', atRoom),
      'notify highlight .m.rule.is_room_mention',
      { senderPower: 50 },
    ],
    ['a reaction is silent', seen({ type: 'm.reaction' }), '.m.rule.reaction'],
    ['a call rings', seen({ type: 'm.call.invite' }), 'notify ring .m.rule.call'],
    ['an invite sounds', seen(memberEvent(alice, bob, 'invite')), 'notify default .m.rule.invite_for_me'],
    ['an invite of another is silent', seen(memberEvent(alice, carol, 'invite')), '.m.rule.member_event'],
    ['a join is silent', seen(memberEvent(alice, alice, 'join')), '.m.rule.member_event'],
    [
      'a tombstone is highlighted',
      seen({ type: 'm.room.tombstone', stateKey: '' }),
      'notify highlight .m.rule.tombstone',
    ],
    ['a tombstone that is no state is nothing', seen({ type: 'm.room.tombstone' }), ''],
    ['a server ACL is silent', seen({ type: 'm.room.server_acl', stateKey: '' }), '.m.rule.room.server_acl'],
    ['a topic is nothing', seen({ type: 'm.room.topic', stateKey: '' }), ''],
    ["one's own message is nothing", { ...text('hello'), sender: bob }, ''],
  ]
  for (const [name, judged, expected, given] of cases) {
    test(name, () => assert.equal(shown(evaluate(defaultRules(bob), judged, { ...context, ...given })), expected))
  }

  test('with names in the text find them', () => {
    const rules = defaultRules(bob, { withNamesInText: true })
    assert.equal(
      shown(evaluate(rules, text('hey BOB'), context)),
      'notify highlight default .m.rule.contains_user_name',
    )
    assert.equal(
      shown(evaluate(rules, text('hey Bob B.!'), context)),
      'notify highlight default .m.rule.contains_display_name',
    )
    assert.equal(
      shown(evaluate(rules, text('@room'), { ...context, senderPower: 50 })),
      'notify highlight .m.rule.roomnotif',
    )
    assert.equal(shown(evaluate(rules, text('bobby'), context)), 'notify .m.rule.message')
  })
})

describe('the default rules that the spec does not have yet', () => {
  const outcome = (type: string, content: JsonObject = {}, memberCount = 3) =>
    shown(evaluate(defaultRules(bob), seen({ type, content }), { ...context, memberCount, senderPower: 50 }))

  test('ring for a call that is for the user, or for a room by somebody who may notify it', () => {
    const call = 'org.matrix.msc4075.rtc.notification'
    assert.match(outcome(call, { 'm.mentions': { user_ids: [bob] } }), /invite_for_me/)
    assert.match(outcome(call, { 'm.mentions': { room: true } }), /invite_for_room/)
    assert.equal(outcome(call), shown(evaluate(defaultRules(bob), seen({ type: 'x.unknown' }), context)))
  })

  test('notify of the start and the end of a poll, not of responses', () => {
    for (const part of ['start', 'end']) {
      assert.match(outcome(`org.matrix.msc3381.poll.${part}`), new RegExp(`^notify .*poll_${part}$`))
      assert.match(outcome(`org.matrix.msc3381.poll.${part}`, {}, 2), new RegExp(`poll_${part}_one_to_one`))
    }
    assert.doesNotMatch(outcome('org.matrix.msc3381.poll.response'), /^notify/)
  })
})

describe("a user's own rules", () => {
  const own = (added: OwnRules['added'], changed: OwnRules['changed'] = new Map()): OwnRules => ({ added, changed })

  test('stand above the defaults of their kind, and below the master', () => {
    const rules = rulesetOf(bob, own({ override: [custom({})], underride: [custom({})] }))
    assert.deepEqual(
      rules.override.slice(0, 2).map((rule) => rule.rule_id),
      ['.m.rule.master', 'mine'],
    )
    assert.equal(rules.underride[0]?.rule_id, 'mine')
  })

  test('that switch the master on silence everything', () => {
    const rules = rulesetOf(bob, own({ override: [custom({})] }, new Map([['.m.rule.master', { enabled: true }]])))
    assert.equal(shown(evaluate(rules, text('hello'), context)), '.m.rule.master')
  })

  test('give a default other actions, and leave the rest of it', () => {
    const rules = rulesetOf(bob, own({}, new Map([['.m.rule.message', { actions: [] }]])))
    assert.equal(shown(evaluate(rules, text('hello'), context)), '.m.rule.message')
    assert.deepEqual(defaultRules(bob).underride[3]?.actions, ['notify'])
  })

  test('are asked kind by kind', () => {
    const everything = {
      override: [],
      content: [custom({ rule_id: 'c', pattern: 'hel*' })],
      postcontent: [],
      room: [custom({ rule_id: room })],
      sender: [custom({ rule_id: alice })],
      underride: [],
    }
    assert.equal(evaluate(everything, text('hello'), context).ruleId, 'c')
    assert.equal(evaluate(everything, text('bye'), context).ruleId, room)
    assert.equal(evaluate({ ...everything, room: [] }, text('bye'), context).ruleId, alice)
    assert.equal(
      evaluate({ ...everything, room: [], sender: [custom({ rule_id: carol })] }, text('bye'), context).ruleId,
      undefined,
    )
  })

  test('that are disabled do not match, those without conditions always do', () => {
    const with_ = (rule: PushRule) => ({
      override: [rule],
      content: [],
      postcontent: [],
      room: [],
      sender: [],
      underride: [],
    })
    assert.equal(evaluate(with_(custom({ enabled: false })), text(''), context).ruleId, undefined)
    assert.equal(evaluate(with_(custom({})), text(''), context).ruleId, 'mine')
    assert.equal(evaluate(with_(custom({ conditions: [] })), text(''), context).ruleId, 'mine')
    assert.equal(evaluate(with_(custom({ conditions: 'none' })), text(''), context).ruleId, undefined)
  })

  test('have actions of which the historical and the unknown do nothing', () => {
    const of = (actions: Json[]) =>
      evaluate(
        { override: [custom({ actions })], content: [], postcontent: [], room: [], sender: [], underride: [] },
        text(''),
        context,
      )
    assert.deepEqual(of(['dont_notify', 'coalesce', 5, null, {}]), {
      notify: false,
      highlight: false,
      tweaks: new Map(),
      ruleId: 'mine',
    })
    assert.equal(of(['notify', { set_tweak: 'highlight', value: false }]).highlight, false)
    assert.deepEqual(
      of(['notify', { set_tweak: 'flash', value: { ms: 5 } }, { set_tweak: 'sound' }]).tweaks,
      new Map([['flash', { ms: 5 }]]),
    )
  })
})

describe('a condition', () => {
  const judged = text('x', {
    topic: 'Lunch plans',
    n: 1,
    yes: true,
    none: null,
    list: ['a', 1, {}],
    'm.dot': { 'back\\slash': 'deep' },
  })
  const cases: readonly (readonly [condition: Json, expected: boolean])[] = [
    [{ kind: 'event_match', key: 'content.topic', pattern: 'lunc?*' }, true],
    [{ kind: 'event_match', key: 'content.topic', pattern: 'lunch' }, false],
    [{ kind: 'event_match', key: 'content.n', pattern: '*' }, false],
    [{ kind: 'event_match', key: 'content.missing', pattern: '*' }, false],
    [{ kind: 'event_match', key: 'content.constructor.name', pattern: '*' }, false],
    [{ kind: 'event_match', key: 'room_id', pattern: room }, true],
    [{ kind: 'event_match', key: 'sender', pattern: '@ALICE:*' }, true],
    [{ kind: 'event_match', key: 'content.m\\.dot.back\\\\slash', pattern: 'deep' }, true],
    [{ kind: 'event_match', key: 'content.m.dot', pattern: '*' }, false],
    [{ kind: 'event_match', key: 'content.topic' }, false],
    [{ kind: 'event_property_is', key: 'content.n', value: 1 }, true],
    [{ kind: 'event_property_is', key: 'content.n', value: '1' }, false],
    [{ kind: 'event_property_is', key: 'content.yes', value: true }, true],
    [{ kind: 'event_property_is', key: 'content.none', value: null }, true],
    [{ kind: 'event_property_is', key: 'content.missing', value: null }, false],
    [{ kind: 'event_property_is', key: 'content.list', value: ['a', 1, {}] }, false],
    [{ kind: 'event_property_is', key: 'content.missing' }, false],
    [{ kind: 'event_property_contains', key: 'content.list', value: 'a' }, true],
    [{ kind: 'event_property_contains', key: 'content.list', value: 1 }, true],
    [{ kind: 'event_property_contains', key: 'content.list', value: '1' }, false],
    [{ kind: 'event_property_contains', key: 'content.list', value: {} }, false],
    [{ kind: 'event_property_contains', key: 'content.topic', value: 'L' }, false],
    [{ kind: 'room_member_count', is: '5' }, true],
    [{ kind: 'room_member_count', is: '==5' }, true],
    [{ kind: 'room_member_count', is: '<5' }, false],
    [{ kind: 'room_member_count', is: '<=5' }, true],
    [{ kind: 'room_member_count', is: '>4' }, true],
    [{ kind: 'room_member_count', is: '>=6' }, false],
    [{ kind: 'room_member_count', is: '5.0' }, false],
    [{ kind: 'room_member_count', is: '!=4' }, false],
    [{ kind: 'room_member_count', is: 5 }, false],
    [{ kind: 'sender_notification_permission', key: 'room' }, false],
    [{ kind: 'sender_notification_permission' }, false],
    [{ kind: 'device_moon_phase' }, false],
    [{}, false],
    [null, false],
    ['event_match', false],
  ]
  for (const [condition, expected] of cases) {
    test(`${JSON.stringify(condition)} ${expected ? 'holds' : 'does not hold'}`, () =>
      assert.equal(holds(condition, judged, context), expected))
  }

  test('about the sender asks the level of its key', () => {
    const levels: Record<string, number> = { room: 20 }
    const asked = (key: string, senderPower: number) =>
      holds({ kind: 'sender_notification_permission', key }, judged, {
        ...context,
        senderPower,
        notificationLevel: (name) => levels[name] ?? 50,
      })
    assert.deepEqual(
      [asked('room', 20), asked('room', 19), asked('other', 49), asked('other', Infinity)],
      [true, false, false, true],
    )
  })

  test('about the display name needs one', () => {
    const named = (displayName?: string) =>
      holds({ kind: 'contains_display_name' }, text('hi A*'), { ...context, displayName })
    assert.deepEqual([named(undefined), named(''), named('a*'), named('a')], [false, false, true, true])
  })

  test('answers whatever a user writes into it', () => {
    const condition = fc.dictionary(
      fc.constantFrom('kind', 'key', 'pattern', 'value', 'is'),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom(
          'event_match',
          'event_property_is',
          'event_property_contains',
          'room_member_count',
          'content.body',
        ),
      ),
    )
    fc.assert(fc.property(condition, (any) => assert.equal(typeof holds(any as Json, judged, context), 'boolean')))
  })
})

test('a path is split at its dots, but for those that are escaped', () => {
  assert.deepEqual(splitPath('content.body'), ['content', 'body'])
  assert.deepEqual(splitPath('content.m\\.relates_to'), ['content', 'm.relates_to'])
  assert.deepEqual(splitPath('content.m\\\\foo'), ['content', 'm\\foo'])
  assert.deepEqual(splitPath('content.m\\x'), ['content', 'm\\x'])
  assert.deepEqual(splitPath('a..b\\'), ['a', '', 'b\\'])
})

test('a rule ID is checked by its kind', () => {
  const good = [
    ['override', 'mine'],
    ['room', room],
    ['sender', alice],
    ['content', 'a b'],
  ] as const
  const bad = [
    ['override', ''],
    ['override', '.mine'],
    ['content', 'a/b'],
    ['content', 'a\\b'],
    ['room', 'x'],
    ['sender', 'x'],
  ] as const
  for (const [kind, id] of good) assert.equal(faultOfRuleId(kind, id), undefined)
  for (const [kind, id] of bad) assert.equal(typeof faultOfRuleId(kind, id), 'string')
  assert.deepEqual(['.m.rule.master', 'mine'].map(isServerDefault), [true, false])
})

function shown({ notify, highlight, sound, ruleId }: ReturnType<typeof evaluate>): string {
  return [notify && 'notify', highlight && 'highlight', sound, ruleId].filter(Boolean).join(' ')
}
