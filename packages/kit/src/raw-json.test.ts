// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeJson, isLongJson, jsonChunks, RawJson } from './raw-json.ts'
import { MAX_TURN_COST_US, takeLongestTurn } from './turn.ts'

async function inChunks(value: unknown): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of jsonChunks(value)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test('a value is encoded in chunks as it is at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const mixed = { a: undefined, b: value, c: [undefined, value, new RawJson('{"raw":1}')], __proto__: { d: value } }
      assert.equal(await inChunks(mixed), encodeJson(mixed))
      assert.equal(await inChunks(value), JSON.stringify(value))
    }),
  )
})

test('a long value takes several turns of the event loop', async () => {
  const room = { timeline: { events: Array.from({ length: 1000 }, () => new RawJson(`"${'x'.repeat(1000)}"`)) } }
  const rooms = { rooms: { join: Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`!${at}`, room])) } }
  takeLongestTurn()
  assert.equal((await inChunks(rooms)).length, encodeJson(rooms).length)
  const longestUs = takeLongestTurn()
  assert.ok(longestUs > 0 && longestUs < 2 * MAX_TURN_COST_US, `${longestUs}`)
})

test('a value is long by its entries, or by what is encoded in it', () => {
  const entries = (count: number) => Array.from({ length: count }, () => 'x')
  const nested = { rooms: { join: Object.fromEntries(entries(60).map((_, at) => [at, { events: entries(10) }])) } }
  const long = [entries(1000), { a: { b: entries(1000) } }, nested, { a: [new RawJson('x'.repeat(300_000))] }]
  for (const value of long) assert.equal(isLongJson(value), true)
  const short = ['x'.repeat(1_000_000), { event_id: '$a' }, { a: entries(100) }, new RawJson('{}'), null, undefined]
  for (const value of short) assert.equal(isLongJson(value), false)
})
