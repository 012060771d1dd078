// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { parseJson } from '@myelin/matrix/parse-json'
import { alice, bob, carol, event, stateOf, versionOf, versions, versionsFrom } from '../../fixtures/fixtures.ts'
import { AuthState } from '../auth-state.ts'
import { authorize } from './authorize.ts'
import { powerLevelsOf } from '../power-levels.ts'
import { type StateKey, stateKey } from '../state-key.ts'

const members = { [alice]: 'join', [bob]: 'join', [carol]: 'join' }

/** Returns the verdict on a change of the power levels by bob, who has 50. */
function change(id: string, before: JsonObject, after: JsonObject): string {
  const version = versionOf(id)
  const old = event({ type: 'm.room.power_levels', stateKey: '', content: { state_default: 50, ...before } })
  const judged = event({
    type: 'm.room.power_levels',
    stateKey: '',
    sender: bob,
    content: { state_default: 50, ...after },
  })
  const verdict = authorize(judged, stateOf(version, { members, levels: null, others: [old] }))
  return verdict.allowed ? 'allowed' : verdict.rule
}

describe('a change of power levels', () => {
  const me = { [bob]: 50 }
  const cases: readonly (readonly [
    name: string,
    before: JsonObject,
    after: JsonObject,
    expected: string,
    first?: number,
    last?: number,
  ])[] = [
    ['of nothing is allowed', { users: me }, { users: me }, 'allowed'],
    [
      'leaves what is above the sender where it is not touched',
      { users: { ...me, [carol]: 100 }, ban: 90, events: { x: 80 } },
      { users: { ...me, [carol]: 100 }, ban: 90, events: { x: 80 } },
      'allowed',
    ],
    ['raises a level up to the sender', { users: me }, { users: me, ban: 50 }, 'allowed'],
    [
      'does not raise a level above the sender',
      { users: me },
      { users: me, ban: 51 },
      'power-levels.level-above-sender',
    ],
    [
      'does not lower a level from above the sender',
      { users: me, ban: 51 },
      { users: me, ban: 0 },
      'power-levels.level-above-sender',
    ],
    [
      'does not remove a level above the sender',
      { users: me, kick: 51 },
      { users: me },
      'power-levels.level-above-sender',
    ],
    ['removes a level at the sender', { users: me, invite: 50 }, { users: me }, 'allowed'],
    ['adds an entry of events up to the sender', { users: me }, { users: me, events: { x: 50 } }, 'allowed'],
    [
      'does not add an entry of events above',
      { users: me },
      { users: me, events: { x: 51 } },
      'power-levels.entry-above-sender',
    ],
    [
      'does not remove an entry of events above',
      { users: me, events: { x: 51 } },
      { users: me },
      'power-levels.entry-above-sender',
    ],
    [
      'does not touch notifications above',
      { users: me, notifications: { room: 51 } },
      { users: me },
      'power-levels.entry-above-sender',
      6,
    ],
    ['may touch notifications above', { users: me, notifications: { room: 51 } }, { users: me }, 'allowed', 1, 5],
    ['raises a user up to the sender', { users: me }, { users: { ...me, [carol]: 50 } }, 'allowed'],
    [
      'does not raise a user above the sender',
      { users: me },
      { users: { ...me, [carol]: 51 } },
      'power-levels.user-above-sender',
    ],
    ['does not raise the sender', { users: me }, { users: { [bob]: 51 } }, 'power-levels.user-above-sender'],
    ['lowers the sender', { users: me }, { users: { [bob]: 10 } }, 'allowed'],
    ['removes the sender', { users: me }, { users: {} }, 'allowed'],
    [
      'does not lower an equal',
      { users: { ...me, [carol]: 50 } },
      { users: { ...me, [carol]: 0 } },
      'power-levels.user-too-strong',
    ],
    ['does not remove an equal', { users: { ...me, [carol]: 50 } }, { users: me }, 'power-levels.user-too-strong'],
    ['lowers the weaker', { users: { ...me, [carol]: 49 } }, { users: { ...me, [carol]: 0 } }, 'allowed'],
    ['takes users that are no list', { users: me }, { users: [] }, 'power-levels.bad-users'],
    ['takes users who are no users', { users: me }, { users: { ...me, carol: 0 } }, 'power-levels.bad-users'],
    ['takes users without a level', { users: me }, { users: { ...me, [carol]: null } }, 'power-levels.bad-users'],
    ['takes a level that is an object', { users: me }, { users: me, ban: {} }, 'power-levels.not-a-level'],
    ['takes a level that is a word', { users: me }, { users: me, ban: 'high' }, 'power-levels.not-a-level'],
    ['takes a level that is null', { users: me }, { users: me, ban: null }, 'power-levels.not-a-level', 10],
    ['takes null for no level', { users: me }, { users: me, ban: null }, 'allowed', 1, 9],
    ['takes digits for a level', { users: me }, { users: { ...me, [carol]: ' +0049 ' }, ban: '50' }, 'allowed', 1, 9],
    [
      'compares digits by their value',
      { users: me },
      { users: { ...me, [carol]: '051' } },
      'power-levels.user-above-sender',
      1,
      9,
    ],
    ['takes digits for a level no longer', { users: me }, { users: me, ban: '50' }, 'power-levels.not-a-level', 10],
    [
      'takes digits for a user no longer',
      { users: me },
      { users: { ...me, [carol]: '49' } },
      'power-levels.bad-users',
      10,
    ],
    ['takes events that are no object', { users: me }, { users: me, events: [] }, 'power-levels.bad-events', 10],
    ['takes events without a level', { users: me }, { users: me, events: { x: '1' } }, 'power-levels.bad-events', 10],
    [
      'takes notifications without a level',
      { users: me },
      { users: me, notifications: { room: true } },
      'power-levels.bad-notifications',
      10,
    ],
    ['takes events of any shape', { users: me }, { users: me, events: [] }, 'allowed', 1, 9],
    ['may list the creator', { users: me }, { users: { ...me, [alice]: 0 } }, 'allowed', 1, 11],
    ['may not list the creator', { users: me }, { users: { ...me, [alice]: 0 } }, 'power-levels.lists-creator', 12],
  ]
  for (const [name, before, after, expected, first = 1, last = 12] of cases) {
    test(`${name}: ${expected} (versions ${first} to ${last})`, () => {
      for (const { id } of versionsFrom(first, last)) assert.equal(change(id, before, after), expected, `version ${id}`)
    })
  }

  test('truncates floats before version 6', () => {
    const floats = parseJson(`{"${bob}":50,"${carol}":50.99}`, { keepNumbers: true }) as JsonObject
    const spelled = parseJson(`{"${bob}":50,"${carol}":5.1e1}`, { keepNumbers: true }) as JsonObject
    for (const { id } of versionsFrom(1, 5)) {
      assert.equal(change(id, { users: { [bob]: 50 } }, { users: floats }), 'allowed')
      assert.equal(change(id, { users: { [bob]: 50 } }, { users: spelled }), 'power-levels.user-above-sender')
    }
    assert.equal(change('6', { users: { [bob]: 50 } }, { users: floats }), 'power-levels.bad-users')
  })

  test('is free where there were none, but for its form', () => {
    for (const version of versions) {
      const state = stateOf(version, { members, levels: null })
      const first = (content: JsonObject) =>
        authorize(event({ type: 'm.room.power_levels', stateKey: '', content }), state).allowed
      assert.equal(first({ users: { [bob]: 1000 }, ban: 2000 }), true)
      assert.equal(first({ users: 5 }), false)
      assert.equal(first({ users: { [alice]: 100 } }), version.id !== '12')
    }
  })

  test('by a creator of version 12 reaches everywhere, and no creator is listed', () => {
    const version = versionOf('12')
    const state = stateOf(version, { members, power: { [bob]: 9999 }, create: { additional_creators: [carol] } })
    const by = (users: JsonObject) =>
      authorize(event({ type: 'm.room.power_levels', stateKey: '', sender: carol, content: { users } }), state)
    assert.equal(by({ [bob]: Number.MAX_SAFE_INTEGER }).allowed, true)
    assert.equal(by({}).allowed, true)
    assert.deepEqual(by({ [carol]: 1 }), { allowed: false, rule: 'power-levels.lists-creator' })
  })

  test('never raises anyone above its sender, nor touches anyone who is not below', () => {
    const users = [alice, bob, carol]
    const level = fc.oneof(
      fc.integer({ min: -5, max: 105 }),
      fc.constant(50),
      fc.integer({ min: 0, max: 105 }).map(String),
    )
    const content = fc.record(
      {
        users: fc.dictionary(fc.constantFrom(...users), level, { noNullPrototype: true }),
        users_default: level,
        state_default: level,
        events_default: level,
        ban: level,
        events: fc.dictionary(fc.constantFrom('m.room.power_levels', 'x'), level, { noNullPrototype: true }),
      },
      { requiredKeys: ['users'], noNullPrototype: true },
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...versions),
        content,
        content,
        fc.constantFrom(...users),
        (version, before, after, sender) => {
          const old = event({ type: 'm.room.power_levels', stateKey: '', content: before as JsonObject })
          const judged = event({ type: 'm.room.power_levels', stateKey: '', sender, content: after as JsonObject })
          const state = stateOf(version, { members, levels: null, others: [old] })
          if (!authorize(judged, state).allowed) return
          const next = new AuthState(version, withLevels(state, judged))
          for (const user of users) {
            const [was, is] = [state.powerOf(user), next.powerOf(user)]
            // Who loses an entry below the default has the default, even where that is above the sender.
            const isRemoved = !Object.hasOwn(after.users, user) && is === next.levelFor('users_default')
            if (user !== sender && is !== was)
              assert.ok(is <= state.powerOf(sender) || is <= was || isRemoved, `${user} from ${was} to ${is}`)
          }
          assert.ok(next.powerOf(sender) <= Math.max(state.powerOf(sender), next.levelFor('users_default')))
        },
      ),
      {
        numRuns: 2000,
        examples: [
          [versionOf('1'), { users: { [carol]: 0 }, users_default: 60 }, { users: {}, users_default: 60 }, alice],
        ],
      },
    )
  })
})

describe('power levels', () => {
  test('have the defaults of the spec', () => {
    const levels = powerLevelsOf(undefined, versionOf('11'))
    const named = (
      ['ban', 'kick', 'redact', 'invite', 'users_default', 'events_default', 'state_default'] as const
    ).map((name) => levels.level(name))
    assert.deepEqual(named, [50, 50, 50, 0, 0, 0, 50])
    assert.equal(levels.toNotify('room'), 50)
  })

  test('of users are their own members, never what objects inherit', () => {
    const users = JSON.parse('{"__proto__":7}') as Json
    const levels = powerLevelsOf(
      event({ type: 'm.room.power_levels', content: { users, events: {}, users_default: 1 } }),
      versionOf('11'),
    )
    assert.equal(levels.ofUser('constructor' as typeof alice), 1)
    assert.equal(levels.ofUser('__proto__' as typeof alice), 7)
    assert.equal(levels.toSend('toString', false), 0)
  })

  test('without an event give the creator 100, or since version 12 everything', () => {
    for (const version of versions) {
      const state = stateOf(version, { levels: null })
      assert.equal(state.powerOf(alice), version.id === '12' ? Infinity : 100)
      assert.equal(state.powerOf(bob), 0)
    }
  })
})

function withLevels(state: AuthState, levels: Pdu): { get: (key: StateKey) => Pdu | undefined } {
  const here = stateKey('m.room.power_levels')
  return {
    get: (key) => (key === here ? levels : key === stateKey('m.room.create') ? state.get('m.room.create') : undefined),
  }
}
