// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Cache } from './cache.ts'

test('a cache answers what was put in last or nothing, holds no more than it may, and keeps what is in use', () => {
  const step = fc.record({
    kind: fc.constantFrom('get' as const, 'set' as const, 'delete' as const),
    key: fc.nat(9),
    value: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 2, max: 8 }), (steps, capacity) => {
      const cache = new Cache<number, number>(capacity)
      const model = new Map<number, number>()
      // Keys in the order of their last use, the latest last.
      let used: number[] = []
      for (const { kind, key, value } of steps) {
        const recent = used.slice(-Math.floor(capacity / 2)).includes(key)
        if (kind === 'get') {
          const kept = cache.get(key)
          assert.ok(kept === undefined || kept === model.get(key))
          if (recent) assert.equal(kept, model.get(key))
          if (kept === undefined) continue
        } else if (kind === 'set') {
          cache.set(key, value)
          model.set(key, value)
          assert.equal(cache.get(key), value)
        } else {
          cache.delete(key)
          model.delete(key)
          assert.equal(cache.get(key), undefined)
        }
        used = used.filter((each) => each !== key)
        if (kind !== 'delete') used.push(key)
        assert.ok(cache.size <= capacity)
      }
    }),
  )
})

test('hits and misses are counted, and a cleared cache is empty', () => {
  const cache = new Cache<string, number>(4)
  cache.set('a', 1)
  cache.get('a')
  cache.get('b')
  assert.deepEqual([cache.hits, cache.misses, cache.size], [1, 1, 1])
  cache.clear()
  assert.deepEqual([cache.get('a'), cache.size], [undefined, 0])
})
