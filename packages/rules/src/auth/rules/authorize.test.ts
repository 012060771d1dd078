// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import {
  alice,
  bob,
  carol,
  event,
  memberEvent,
  room,
  type RoomSketch,
  stateOf,
  versionOf,
  versions,
  versionsFrom,
} from '../../fixtures/fixtures.ts'
import { AuthState } from '../auth-state.ts'
import { judgeAuthEvents } from '../auth-events.ts'
import { authorize } from './authorize.ts'
import { neededState } from '../needed-state.ts'
import { mayRedact } from './redaction.ts'
import type { Verdict } from '../verdict.ts'

const members = { [alice]: 'join', [bob]: 'join' }
const message: Pdu = event({ type: 'm.room.message', sender: bob })
const topic: Pdu = event({ type: 'm.room.topic', sender: bob, stateKey: '' })

function wordOf(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.rule
}

describe('a create event', () => {
  const create = (fields: Partial<Pdu> = {}, content: JsonObject = { creator: alice }): Pdu =>
    event({ type: 'm.room.create', stateKey: '', content, ...fields })
  const cases: readonly (readonly [name: string, event: Pdu, expected: string, first: number, last: number])[] = [
    ['alone is allowed', create(), 'allowed', 1, 12],
    [
      'with previous events is rejected',
      create({ prevEvents: ['$a' as EventId] }),
      'create.has-previous-events',
      1,
      12,
    ],
    [
      'of a room of another server is rejected',
      create({ roomId: '!r:two.test' as RoomId }),
      'create.room-of-another-server',
      1,
      11,
    ],
    ['that names its room is rejected', create({ json: { room_id: room } }), 'create.has-room-id', 12, 12],
    ['of a version we know is allowed', create({}, { creator: alice, room_version: '9' }), 'allowed', 1, 12],
    [
      'of a version nobody knows is rejected',
      create({}, { creator: alice, room_version: '99' }),
      'create.unknown-room-version',
      1,
      12,
    ],
    [
      'of a version that is a number is rejected',
      create({}, { creator: alice, room_version: 9 }),
      'create.unknown-room-version',
      1,
      12,
    ],
    ['without a creator is rejected', create({}, {}), 'create.no-creator', 1, 10],
    ['needs no creator', create({}, {}), 'allowed', 11, 12],
    [
      'with more creators is allowed',
      create({}, { creator: alice, additional_creators: [bob, '@:x'] }),
      'allowed',
      1,
      12,
    ],
    [
      'with a creator who is no user is rejected',
      create({}, { additional_creators: ['bob'] }),
      'create.bad-additional-creators',
      12,
      12,
    ],
    [
      'with creators that are no list is rejected',
      create({}, { additional_creators: bob }),
      'create.bad-additional-creators',
      12,
      12,
    ],
    [
      'has nothing to say about more creators',
      create({}, { creator: alice, additional_creators: 5 }),
      'allowed',
      1,
      11,
    ],
  ]
  for (const [name, judged, expected, first, last] of cases) {
    test(`${name} (versions ${first} to ${last})`, () => {
      for (const version of versionsFrom(first, last))
        assert.equal(wordOf(authorize(judged, stateOf(version))), expected)
    })
  }
})

describe('any other event', () => {
  const cases: readonly (readonly [name: string, event: Pdu, room: RoomSketch, expected: string])[] = [
    ['by the joined is allowed', message, { members }, 'allowed'],
    ['by one outside is rejected', message, { members: { [bob]: 'invite' } }, 'send.not-joined'],
    [
      'of a room that stays at home is rejected from elsewhere',
      message,
      { members, create: { 'm.federate': false } },
      'room.not-federated',
    ],
    [
      'of a room that stays at home is allowed at home',
      { ...message, sender: carol },
      { members: { [carol]: 'join' }, create: { 'm.federate': false } },
      'allowed',
    ],
    ['is allowed where m.federate is no false', message, { members, create: { 'm.federate': 0 } }, 'allowed'],
    ['below events_default is rejected', message, { members, levels: { events_default: 1 } }, 'send.too-weak'],
    [
      'of a type with its own level needs that',
      message,
      { members, levels: { events: { 'm.room.message': 1 } } },
      'send.too-weak',
    ],
    [
      'of a type with a lower level needs no more',
      topic,
      { members, levels: { events: { 'm.room.topic': 0 } } },
      'allowed',
    ],
    ['that is state needs 50', topic, { members, power: { [bob]: 49 } }, 'send.too-weak'],
    ['that is state is allowed with 50', topic, { members, power: { [bob]: 50 } }, 'allowed'],
    ['that is state needs 50 also without power levels', topic, { members, levels: null }, 'send.too-weak'],
    ['that is no state needs nothing without power levels', message, { members, levels: null }, 'allowed'],
    [
      'that is state by the creator is allowed without power levels',
      { ...topic, sender: alice },
      { members, levels: null },
      'allowed',
    ],
    ['by a user users_default makes strong is allowed', topic, { members, levels: { users_default: 50 } }, 'allowed'],
    [
      'that is state of another user is rejected',
      { ...topic, stateKey: alice },
      { members, power: { [bob]: 100 } },
      'send.state-of-another-user',
    ],
    ['that is state of oneself is allowed', { ...topic, stateKey: bob }, { members, power: { [bob]: 50 } }, 'allowed'],
    [
      'of a type that objects inherit needs the default',
      { ...topic, type: 'constructor' },
      { members, levels: { events: {} } },
      'send.too-weak',
    ],
  ]
  for (const [name, judged, sketch, expected] of cases) {
    test(`${name} in every version`, () => {
      for (const version of versions)
        assert.equal(wordOf(authorize(judged, stateOf(version, sketch))), expected, version.id)
    })
  }

  test('of another room, or of none, is rejected', () => {
    for (const version of versions) {
      const elsewhere = event({ type: 'm.room.message', roomId: '!other:one.test' as RoomId })
      assert.equal(wordOf(authorize(elsewhere, stateOf(version, { members }))), 'room.of-another-create-event')
      assert.equal(wordOf(authorize(message, new AuthState(version, new Map()))), 'room.no-create-event')
    }
  })
})

describe('aliases', () => {
  const aliases = (stateKey?: string): Pdu =>
    event({ type: 'm.room.aliases', sender: bob, ...(stateKey === undefined ? {} : { stateKey }) })
  test('belong to servers before version 6, independent of membership', () => {
    for (const version of versionsFrom(1, 5)) {
      assert.equal(wordOf(authorize(aliases('two.test'), stateOf(version))), 'allowed')
      assert.equal(wordOf(authorize(aliases('one.test'), stateOf(version))), 'aliases.of-another-server')
      assert.equal(wordOf(authorize(aliases(), stateOf(version))), 'aliases.no-state-key')
    }
  })
  test('are state like any other since version 6', () => {
    for (const version of versionsFrom(6)) {
      assert.equal(wordOf(authorize(aliases('two.test'), stateOf(version))), 'send.not-joined')
      assert.equal(
        wordOf(authorize(aliases('one.test'), stateOf(version, { members, power: { [bob]: 50 } }))),
        'allowed',
      )
    }
  })
})

describe('a redaction', () => {
  const redaction = (redacts: string, sender = bob): Pdu =>
    event({ type: 'm.room.redaction', sender, id: '$r:two.test' as EventId, redacts: redacts as EventId })
  const power = { [bob]: 49 }

  test('needs power in versions 1 and 2, unless both event IDs are of one server', () => {
    for (const version of versionsFrom(1, 2)) {
      assert.equal(
        wordOf(authorize(redaction('$x:one.test'), stateOf(version, { members, power }))),
        'redaction.sender-too-weak',
      )
      assert.equal(wordOf(authorize(redaction('$x:two.test'), stateOf(version, { members, power }))), 'allowed')
      assert.equal(
        wordOf(authorize(redaction('$x:one.test'), stateOf(version, { members, power: { [bob]: 50 } }))),
        'allowed',
      )
    }
  })
  test('is an event like any other since version 3', () => {
    for (const version of versionsFrom(3))
      assert.equal(wordOf(authorize(redaction('$x'), stateOf(version, { members, power }))), 'allowed')
  })
  test('takes effect by power, or on events of one server', () => {
    for (const version of versionsFrom(3)) {
      const target = (sender: typeof bob): Pdu => event({ type: 'm.room.message', id: '$x' as EventId, sender })
      assert.equal(mayRedact(redaction('$x'), target(alice), stateOf(version, { members, power })), false)
      assert.equal(mayRedact(redaction('$x'), target(bob), stateOf(version, { members, power })), true)
      assert.equal(mayRedact(redaction('$x'), target(alice), stateOf(version, { members, power: { [bob]: 50 } })), true)
      assert.equal(mayRedact(redaction('$y'), target(bob), stateOf(version, { members, power })), false)
      const elsewhere = { ...target(bob), roomId: '!other:one.test' as RoomId }
      assert.equal(mayRedact(redaction('$x'), elsewhere, stateOf(version, { members, power })), false)
    }
  })
})

describe('auth events', () => {
  const levels = event({ type: 'm.room.power_levels', stateKey: '' })
  const create = event({ type: 'm.room.create', stateKey: '' })
  const member = memberEvent(bob, bob, 'join')

  test('are those that give permission, each once', () => {
    const shown = (judged: Parameters<typeof neededState>[0], id: string): string[] =>
      neededState(judged, versionOf(id)).map(([type, key]) => `${type.slice('m.room.'.length)} ${key}`.trim())
    assert.deepEqual(shown(create, '11'), [])
    assert.deepEqual(shown(message, '11'), ['create', 'power_levels', `member ${bob}`])
    assert.deepEqual(shown(message, '12'), ['power_levels', `member ${bob}`])
    assert.deepEqual(shown(member, '11'), ['create', 'power_levels', `member ${bob}`, 'join_rules'])
    assert.deepEqual(shown(memberEvent(alice, bob, 'ban'), '12'), ['power_levels', `member ${alice}`, `member ${bob}`])
    const answer = memberEvent(alice, bob, 'invite', { third_party_invite: { signed: { token: 'T' } } })
    assert.deepEqual(shown(answer, '12').slice(3), ['join_rules', 'third_party_invite T'])
    const vouched = memberEvent(bob, bob, 'join', { join_authorised_via_users_server: alice })
    assert.deepEqual(shown(vouched, '8').slice(4), [`member ${alice}`])
    assert.deepEqual(shown(vouched, '7').slice(4), [])
    assert.deepEqual(shown(memberEvent(bob, bob, 'join', { join_authorised_via_users_server: bob }), '8').slice(4), [])
  })

  const cases: readonly (readonly [
    name: string,
    entries: readonly Pdu[],
    expected: string,
    first: number,
    last: number,
  ])[] = [
    ['as selected are allowed', [create, levels, member], 'allowed', 1, 11],
    ['without the create event are allowed', [levels, member], 'allowed', 12, 12],
    ['without the create event are rejected', [levels, member], 'auth-events.no-create-event', 1, 11],
    ['with the create event are rejected', [create, levels, member], 'auth-events.not-needed', 12, 12],
    ['named twice are rejected', [create, levels, { ...levels, id: '$2' as EventId }], 'auth-events.duplicate', 1, 11],
    ['of somebody else are rejected', [create, memberEvent(alice, alice, 'join')], 'auth-events.not-needed', 1, 11],
    ['that are no state are rejected', [create, message], 'auth-events.not-needed', 1, 11],
    ['of another room are rejected', [{ ...levels, roomId: '!x:y' as RoomId }], 'auth-events.of-another-room', 1, 12],
  ]
  for (const [name, entries, expected, first, last] of cases) {
    test(`${name} (versions ${first} to ${last})`, () => {
      for (const version of versionsFrom(first, last))
        assert.equal(wordOf(judgeAuthEvents(message, entries, version)), expected)
    })
  }
})
