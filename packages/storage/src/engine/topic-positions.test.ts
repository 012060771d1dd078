// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KnownTopicPositions } from './topic-positions.ts'

test('a topic that is said not to have changed has not, however little is remembered', () => {
  const commit = fc.record({
    step: fc.integer({ min: 1, max: 3 }),
    topics: fc.array(fc.constantFrom('a', 'b', 'c', 'd', '*'), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(commit, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (commits, remembered) => {
      const moves = new KnownTopicPositions(remembered)
      const model = new Map<string, number>()
      let position = 0
      for (const { step, topics } of commits) {
        position += step
        moves.note(position, topics)
        for (const topic of topics.includes('*') ? ['a', 'b', 'c', 'd'] : topics) model.set(topic, position)
        for (const topic of ['a', 'b', 'c', 'd']) {
          for (let after = 0; after <= position; after++)
            if ((model.get(topic) ?? 0) > after) assert.ok(moves.changedSince(topic, after))
        }
      }
      assert.equal(moves.position, position)
    }),
  )
})

test('an unchanged topic is known to be unchanged', () => {
  const moves = new KnownTopicPositions()
  moves.reset(10)
  moves.note(12, ['a'])
  assert.equal(moves.changedSince('a', 11), true)
  assert.equal(moves.changedSince('a', 12), false)
  assert.equal(moves.changedSince('b', 10), false)
  assert.equal(moves.changedSince('b', 9), true, 'nothing is known of what was before the start')
})
