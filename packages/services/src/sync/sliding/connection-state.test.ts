// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RoomId } from '@myelin/matrix/ids'
import {
  decodeStep,
  encodeStep,
  hasSpaceFor,
  NOTHING_SENT,
  selectionName,
  stateAfter,
  wholeStep,
} from './connection-state.ts'
import type { SentRoom, Step } from './connection-state.ts'

const texts = ['[]', '[1]', '[2]']
const position = fc.option(fc.nat(1_000_000), { nil: undefined })
const sent: fc.Arbitrary<SentRoom> = fc
  .record({
    text: fc.constantFrom(...texts),
    timelineLimit: fc.nat(50),
    isDm: fc.boolean(),
    upTo: position,
    receipts: position,
    accountData: position,
  })
  .map(({ text, timelineLimit, isDm, ...positions }) => ({
    selection: selectionName(text),
    timelineLimit,
    isDm,
    ...Object.fromEntries(Object.entries(positions).filter(([, value]) => value !== undefined)),
  }))
const step: fc.Arbitrary<Step> = fc.dictionary(fc.constantFrom('!a', '!b', '!c'), sent).map((rooms) => ({
  rooms: new Map(Object.entries(rooms) as [RoomId, SentRoom][]),
  selections: new Map(texts.map((text) => [selectionName(text), text])),
}))

test('steps survive their text, and a whole step is all of those before it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
      let [state, read] = [NOTHING_SENT, NOTHING_SENT]
      for (const each of steps) {
        state = stateAfter(state, each)
        read = stateAfter(read, decodeStep(encodeStep(each)))
      }
      assert.deepEqual(read, state)
      const whole = stateAfter(state, decodeStep(encodeStep(wholeStep(state))), true)
      assert.deepEqual(whole.rooms, state.rooms)
      for (const { selection } of whole.rooms.values())
        assert.equal(whole.selections.get(selection), state.selections.get(selection))
    }),
  )
})

test('the texts of selections are bounded: what is too much is known by its name only', () => {
  const long = 'x'.repeat(100_000)
  assert.equal(hasSpaceFor(NOTHING_SENT, long), true)
  const selections = new Map([['one', long]])
  assert.equal(hasSpaceFor({ selections }, long), false)
  const rooms = new Map([['!a' as RoomId, { selection: 'two', timelineLimit: 1, isDm: false }]])
  assert.deepEqual([...wholeStep({ rooms, selections, steps: 1 }).selections], [])
})
