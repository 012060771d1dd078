// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addOneTimeKeys,
  claimOneTimeKey,
  fallbackKeyCount,
  oneTimeKeyCounts,
  putFallbackKey,
  unusedFallbackAlgorithms,
  useFallbackKey,
} from './one-time-keys.ts'
import type { KeyConflict, NamedKey } from './one-time-keys.ts'

const alice = '@alice:one.test' as UserId
const deviceId = 'PHONE'
const request = (algorithm: string) => ({ userId: alice, deviceId, algorithm })
const named = (algorithm: string, keyId: string, key = `"key ${keyId}"`): NamedKey => ({ algorithm, keyId, key })

onEveryDatabase('one-time keys', (open) => {
  test('are a queue per algorithm, despite repeated uploads and concurrent claims', async () => {
    const key = fc.record({ algorithm: fc.constantFrom('a', 'b'), id: fc.nat(5), value: fc.nat(1) })
    const step = fc.oneof(
      fc.record({
        upload: fc.uniqueArray(key, { maxLength: 4, selector: ({ algorithm, id }) => `${algorithm}${id}` }),
      }),
      fc.record({ claim: fc.constantFrom('a', 'b') }),
    )
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const own = `PHONE${++run}`
        const model = new Model()
        for (const now of steps) {
          if ('claim' in now) {
            const claimed = await db.write((tx) => claimOneTimeKey(tx, { ...request(now.claim), deviceId: own }))
            assert.deepEqual(claimed, model.claim(now.claim))
          } else {
            const keys = now.upload.map(({ algorithm, id, value }) => named(algorithm, `${id}`, `"${value}"`))
            const conflict = await db.write((tx) => addOneTimeKeys(tx, alice, own, keys))
            assert.deepEqual(conflict, model.upload(keys))
          }
          assert.deepEqual(await oneTimeKeyCounts(db.read, alice, own), model.counts())
        }
      }),
      { numRuns: 60 },
    )
    await db.close()
  })

  test('are given to one caller each, however many claim at once', async () => {
    const db = await open()
    const keys = Array.from({ length: 20 }, (_, at) => named('a', `${at}`))
    await db.write((tx) => addOneTimeKeys(tx, alice, deviceId, keys))
    const claims = Array.from({ length: 30 }, () => db.write((tx) => claimOneTimeKey(tx, request('a'))))
    const claimed = (await Promise.all(claims)).flatMap((key) => key?.keyId ?? [])
    assert.equal(claimed.length, 20)
    assert.equal(new Set(claimed).size, 20)
    await db.close()
  })

  test('belong to their device, and a name may be any text', async () => {
    const db = await open()
    await db.write((tx) => addOneTimeKeys(tx, alice, deviceId, [named('__proto__', 'constructor')]))
    assert.equal(await db.write((tx) => claimOneTimeKey(tx, { ...request('__proto__'), deviceId: 'OTHER' })), undefined)
    assert.deepEqual(Object.entries(await oneTimeKeyCounts(db.read, alice, deviceId)), [['__proto__', 1]])
    assert.equal((await db.write((tx) => claimOneTimeKey(tx, request('__proto__'))))?.keyId, 'constructor')
    await db.close()
  })

  test('that were claimed are remembered, but not for ever', async () => {
    const db = await open()
    for (let start = 0; start < 1200; start += 100) {
      const keys = Array.from({ length: 100 }, (_, at) => named('a', `${start + at}`))
      await db.write(async (tx) => {
        await addOneTimeKeys(tx, alice, deviceId, keys)
        for (let at = 0; at < 100; at++) await claimOneTimeKey(tx, request('a'))
      })
    }
    await db.write((tx) => addOneTimeKeys(tx, alice, deviceId, [named('a', 'last')]))
    const rows = await db.read.selectFrom('one_time_keys').select('key_id').where('claimed', '=', 1).execute()
    assert.equal(rows.length, 1000)
    assert.ok(rows.some(({ key_id }) => key_id === '1199'))
    await db.close()
  })
})

onEveryDatabase('a fallback key', (open) => {
  test('is given again and again, and is unused until the first time', async () => {
    const db = await open()
    await db.write((tx) => putFallbackKey(tx, alice, deviceId, named('a', '1')))
    assert.deepEqual(await unusedFallbackAlgorithms(db.read, alice, deviceId), ['a'])
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await db.write((tx) => useFallbackKey(tx, request('a'))), named('a', '1'))
      assert.deepEqual(await unusedFallbackAlgorithms(db.read, alice, deviceId), [])
    }
    await db.close()
  })

  test('takes the place of the one before, and the same one sent again stays used', async () => {
    const db = await open()
    const put = (key: NamedKey) => db.write((tx) => putFallbackKey(tx, alice, deviceId, key))
    await put(named('a', '1'))
    await db.write((tx) => useFallbackKey(tx, request('a')))
    await put(named('a', '1'))
    assert.deepEqual(await unusedFallbackAlgorithms(db.read, alice, deviceId), [])
    await put(named('a', '2'))
    assert.deepEqual(await unusedFallbackAlgorithms(db.read, alice, deviceId), ['a'])
    await put(named('b', '1'))
    assert.equal(await db.write((tx) => fallbackKeyCount(tx, alice, deviceId)), 2)
    assert.equal(await db.write((tx) => fallbackKeyCount(tx, alice, 'OTHER')), 0)
    assert.deepEqual(await db.write((tx) => useFallbackKey(tx, request('a'))), named('a', '2'))
    assert.equal(await db.write((tx) => useFallbackKey(tx, request('c'))), undefined)
    await db.close()
  })
})

/** A model of one-time keys: lists of keys, and the keys claimed from them. */
class Model {
  waiting: NamedKey[] = []
  claimed: NamedKey[] = []

  upload(keys: readonly NamedKey[]): KeyConflict | undefined {
    const same = (list: readonly NamedKey[], key: NamedKey) => list.find((held) => isNamedLike(held, key))
    for (const uploaded of keys) {
      const held = same(this.waiting, uploaded)
      if (held !== undefined && held.key !== uploaded.key) return { held, uploaded }
    }
    for (const key of keys) {
      if (same(this.waiting, key) || same(this.claimed, key)?.key === key.key) continue
      this.claimed = this.claimed.filter((held) => !isNamedLike(held, key))
      this.waiting.push(key)
    }
    return undefined
  }

  claim(algorithm: string): NamedKey | undefined {
    const first = this.waiting.find((key) => key.algorithm === algorithm)
    if (!first) return undefined
    this.waiting = this.waiting.filter((key) => key !== first)
    this.claimed.push(first)
    return first
  }

  counts(): Record<string, number> {
    const algorithms = [...new Set(this.waiting.map(({ algorithm }) => algorithm))].sort()
    return Object.fromEntries(
      algorithms.map((name) => [name, this.waiting.filter(({ algorithm }) => algorithm === name).length]),
    )
  }
}

function isNamedLike(a: NamedKey, b: NamedKey): boolean {
  return a.algorithm === b.algorithm && a.keyId === b.keyId
}
