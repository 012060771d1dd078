// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { requiredStateOfPairs, StateSelection } from './required-state.ts'
import type { RequiredState, StatePattern } from './required-state.ts'

const me = '@me:one.test'
const selectionOf = (...pairs: (readonly [string, string])[]) => new StateSelection([requiredStateOfPairs(pairs, me)])

test('pairs have words for everything, for the user, and for members as the timeline needs them', () => {
  const lazy = selectionOf(['*', '*'], ['m.room.member', '$LAZY'], ['m.room.member', '$ME'])
  assert.deepEqual(
    [lazy.matches('m.room.topic', ''), lazy.matches('m.room.member', me), lazy.matches('m.room.member', '@a:b')],
    [true, true, false],
  )
  assert.deepEqual([lazy.isLazy, lazy.wantsAllMembers, [...lazy.namedMembers]], [true, false, [me]])
  const whole = selectionOf(['m.room.member', '*'])
  assert.deepEqual([whole.matches('m.room.member', '@a:b'), whole.wantsAllMembers, whole.isLazy], [true, true, false])
  assert.equal(selectionOf(['*', 'key']).matches('org.test', 'key'), true)
  assert.equal(selectionOf(['*', 'key']).matches('org.test', ''), false)
})

test('the union with all members is not lazy', () => {
  const union = new StateSelection([
    requiredStateOfPairs([['m.room.member', '$LAZY']], me),
    requiredStateOfPairs([['m.room.member', '*']], me),
  ])
  assert.equal(union.isLazy, false)
})

const pattern: fc.Arbitrary<StatePattern> = fc.record(
  { type: fc.constantFrom('a', 'b', 'm.room.member'), stateKey: fc.constantFrom('', '@x', '@y') },
  { requiredKeys: [] },
)
const required: fc.Arbitrary<RequiredState> = fc.record({
  include: fc.array(pattern, { maxLength: 4 }),
  exclude: fc.array(pattern, { maxLength: 2 }),
  lazyMembers: fc.boolean(),
})

/** A simple model of a selection. */
function isWanted(parts: readonly RequiredState[], type: string, stateKey: string): boolean {
  const fits = (each: StatePattern) =>
    (each.type === undefined || each.type === type) && (each.stateKey === undefined || each.stateKey === stateKey)
  return parts.some(({ include, exclude, lazyMembers }) => {
    const counted = include.filter((each) => !lazyMembers || type !== 'm.room.member' || each.stateKey !== undefined)
    return counted.some(fits) && !exclude.some(fits)
  })
}

test('a selection matches what one of its parts includes and does not exclude, and survives its text', () => {
  fc.assert(
    fc.property(fc.array(required, { maxLength: 3 }), (parts) => {
      const selection = new StateSelection(parts)
      const read = StateSelection.parse(selection.text)
      for (const type of ['a', 'b', 'c', 'm.room.member'])
        for (const key of ['', '@x', '@y', '@z']) {
          assert.equal(selection.matches(type, key), isWanted(parts, type, key), `${type} ${key}`)
          assert.equal(read.matches(type, key), selection.matches(type, key))
        }
      assert.equal(read.text, selection.text)
    }),
  )
})
