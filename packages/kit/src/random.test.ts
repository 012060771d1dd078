// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { seededRandom, systemRandom } from './random.ts'

describe('chance', () => {
  test('makes words of exactly the length and the letters it promises', () => {
    fc.assert(
      fc.property(fc.nat(200), (length) => {
        assert.match(systemRandom.token(length), new RegExp(`^[A-Za-z0-9]{${length}}$`))
        assert.equal(systemRandom.bytes(length).length, length)
      }),
    )
  })

  test('favors no letter', () => {
    const counts = new Map<string, number>()
    for (const letter of seededRandom('fair').token(62_000)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    assert.equal(counts.size, 62)
    for (const [letter, count] of counts) assert.ok(count > 850 && count < 1150, `${letter} came ${count} times`)
  })

  test('repeats itself for the same seed, and for no other', () => {
    assert.equal(seededRandom('one').token(40), seededRandom('one').token(40))
    assert.notEqual(seededRandom('one').token(40), seededRandom('two').token(40))
  })

  test('of one seed is one stream, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 10 }), (cuts) => {
        const total = cuts.reduce((sum, cut) => sum + cut, 0)
        const random = seededRandom('stream')
        const pieces = cuts.map((cut) => random.bytes(cut))
        assert.deepEqual(Buffer.concat(pieces), Buffer.from(seededRandom('stream').bytes(total)))
      }),
    )
  })
})
