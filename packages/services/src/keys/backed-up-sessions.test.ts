// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isBetter } from './backed-up-sessions.ts'

const rank = fc.record(
  { firstMessageIndex: fc.nat(2), forwardedCount: fc.nat(2), isVerified: fc.boolean() },
  { noNullPrototype: true },
)
const held = { firstMessageIndex: 5, forwardedCount: 5, isVerified: false }

describe('a key for a session that is backed up', () => {
  const cases = [
    ['takes the place of nothing', {}, true, undefined],
    ['stays out if it is the same', {}, false],
    ['goes in if it is verified, whatever else', { isVerified: true, firstMessageIndex: 9, forwardedCount: 9 }, true],
    ['goes in if it reads more', { firstMessageIndex: 4, forwardedCount: 9 }, true],
    ['stays out if it reads less', { firstMessageIndex: 6, forwardedCount: 0 }, false],
    ['goes in if it was forwarded less', { forwardedCount: 4 }, true],
    ['stays out if it was forwarded more', { forwardedCount: 6 }, false],
  ] as const
  for (const [name, change, expected, ...before] of cases) {
    test(name, () => assert.equal(isBetter({ ...held, ...change }, before.length > 0 ? undefined : held), expected))
  }

  test('and the one that is there never replace each other in turns', () => {
    fc.assert(fc.property(rank, rank, (a, b) => assert.ok(!(isBetter(a, b) && isBetter(b, a)))))
  })

  test('leaves the same key in the end, in whatever order they come', () => {
    const winner = (ranks: readonly { firstMessageIndex: number; forwardedCount: number; isVerified: boolean }[]) =>
      ranks.reduce((best, next) => (isBetter(next, best) ? next : best))
    fc.assert(
      fc.property(fc.array(rank, { minLength: 1 }), (ranks) => {
        assert.deepEqual(winner(ranks), winner(ranks.toReversed()))
      }),
    )
  })
})
