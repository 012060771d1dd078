// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RateLimiter } from './rate-limit.ts'
import { StoppedClock } from './stopped-clock.ts'

describe('a rate limit', () => {
  test('lets a burst through, then says how long to wait, then lets one through', () => {
    const clock = new StoppedClock()
    const limiter = new RateLimiter(clock, { perSecond: 0.5, burstCount: 2 })
    assert.deepEqual([limiter.take('a'), limiter.take('a'), limiter.take('a')], [0, 0, 2000])
    clock.advance(1999)
    assert.equal(limiter.take('a'), 1)
    clock.advance(1)
    assert.equal(limiter.take('a'), 0)
  })

  test('counts every key by itself', () => {
    const limiter = new RateLimiter(new StoppedClock(), { perSecond: 1, burstCount: 1 })
    assert.deepEqual([limiter.take('a'), limiter.take('b'), limiter.take('a')], [0, 0, 1000])
  })

  test('only looks when it peeks', () => {
    const limiter = new RateLimiter(new StoppedClock(), { perSecond: 1, burstCount: 1 })
    assert.deepEqual([limiter.peek('a'), limiter.peek('a'), limiter.take('a'), limiter.peek('a')], [0, 0, 0, 1000])
  })

  test('can be spent beyond what is there, which is then waited for', () => {
    const clock = new StoppedClock()
    const limiter = new RateLimiter(clock, { perSecond: 10, burstCount: 100 })
    limiter.spend('a', 40)
    limiter.spend('a', 160)
    assert.deepEqual([limiter.peek('a'), limiter.peek('b')], [10_100, 0])
    clock.advance(10_100)
    assert.equal(limiter.peek('a'), 0)
  })

  test('that never refills still names a finite wait', () => {
    const limiter = new RateLimiter(new StoppedClock(), { perSecond: 0, burstCount: 1 })
    limiter.take('a')
    assert.equal(limiter.take('a'), 3_600_000)
  })

  test('remembers a bounded number of keys and forgets the one seen longest ago', () => {
    const limiter = new RateLimiter(new StoppedClock(), { perSecond: 1, burstCount: 2 }, 2)
    for (const key of ['a', 'b', 'a', 'c']) limiter.take(key)
    assert.deepEqual([limiter.peek('a'), limiter.peek('b')], [1000, 0])
    for (const key of ['b', 'b']) limiter.take(key)
    assert.equal(limiter.peek('b'), 1000)
  })

  test('is not thrown by a clock that goes back', () => {
    let now = 10_000
    const limiter = new RateLimiter({ now: () => now }, { perSecond: 1, burstCount: 1 })
    limiter.take('a')
    now = 0
    assert.equal(limiter.take('a'), 1000)
  })

  test('never allows more than burst plus rate, and allows a caller that waits the returned time', () => {
    const limit = fc.record({
      perSecond: fc.double({ min: 0.01, max: 50, noNaN: true }),
      burstCount: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(limit, fc.array(fc.nat(3000), { maxLength: 60 }), (ofLimit, steps) => {
        const clock = new StoppedClock(0)
        const limiter = new RateLimiter(clock, ofLimit)
        let taken = 0
        for (const step of steps) {
          clock.advance(step)
          if (limiter.take('k') === 0) taken++
          assert.ok(taken <= ofLimit.burstCount + (clock.now() / 1000) * ofLimit.perSecond + 1e-6)
        }
        clock.advance(limiter.peek('k') + 1)
        assert.equal(limiter.take('k'), 0)
      }),
    )
  })
})
