// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { alice, bob, carol, stateOf, versionOf, versions } from '../../../fixtures/fixtures.ts'
import { judgeBan } from './ban.ts'
import { judgeLeave } from './leave.ts'

const power = fc.integer({ min: -10, max: 110 })
const members = { [alice]: 'join', [bob]: 'join', [carol]: 'join' }

test('a ban, like a kick, never works both ways', () => {
  fc.assert(
    fc.property(fc.constantFrom(...versions), power, power, power, power, (version, ofBob, ofCarol, ban, kick) => {
      const state = stateOf(version, { members, power: { [bob]: ofBob, [carol]: ofCarol }, levels: { ban, kick } })
      assert.equal(judgeBan(bob, carol, state).allowed && judgeBan(carol, bob, state).allowed, false)
      assert.equal(judgeLeave(bob, carol, state).allowed && judgeLeave(carol, bob, state).allowed, false)
    }),
  )
})

test('a ban cannot reach a creator since version 12, nor can one creator ban another', () => {
  const create = { additional_creators: [carol] }
  const old = stateOf(versionOf('11'), { members, power: { [bob]: 100 }, create })
  assert.equal(judgeBan(bob, alice, old).allowed, true)
  const state = stateOf(versionOf('12'), { members, power: { [bob]: Number.MAX_SAFE_INTEGER }, create })
  for (const [sender, target] of [
    [bob, alice],
    [bob, carol],
    [alice, carol],
    [carol, alice],
  ] as const) {
    assert.deepEqual(judgeBan(sender, target, state), { allowed: false, rule: 'ban.target-too-strong' })
    assert.deepEqual(judgeLeave(sender, target, state), { allowed: false, rule: 'kick.target-too-strong' })
  }
  assert.equal(judgeBan(carol, bob, state).allowed, true)
})
