// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeJson, encodeLongJson, RawJson } from './raw-json.ts'
import { MAX_TURN_COST_US, takeLongestTurn } from './turn.ts'

test('a value is encoded in steps as it is at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const mixed = { a: undefined, b: value, c: [undefined, value, new RawJson('{"raw":1}')], __proto__: { d: value } }
      assert.equal(await encodeLongJson(mixed), encodeJson(mixed))
      assert.equal(await encodeLongJson(value), JSON.stringify(value))
    }),
  )
})

test('a long value takes several turns of the event loop', async () => {
  const room = { timeline: { events: Array.from({ length: 100 }, () => 'x'.repeat(1000)) } }
  const rooms = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`!${at}`, room]))
  takeLongestTurn()
  await encodeLongJson({ rooms: { join: rooms } })
  assert.ok(takeLongestTurn() < 2 * MAX_TURN_COST_US)
})
