// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { systemClock } from './clock.ts'
import { StoppedClock } from './stopped-clock.ts'

describe('the system clock', () => {
  test('runs a task after its delay, even one that Node alone would cut to nothing', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const task = mock.fn()
    const month = 31 * 24 * 3_600_000
    systemClock.later(month, task)
    context.mock.timers.tick(2 ** 31 - 1)
    context.mock.timers.tick(month - 2 ** 31)
    assert.equal(task.mock.callCount(), 0)
    context.mock.timers.tick(1)
    assert.equal(task.mock.callCount(), 1)
  })

  test('does not run a task that was cancelled, in the first stretch or a later one', (context) => {
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
    const task = mock.fn()
    const timer = systemClock.later(2 ** 32, task)
    context.mock.timers.tick(2 ** 31 - 1)
    timer.cancel()
    context.mock.timers.tick(2 ** 31)
    context.mock.timers.tick(2 ** 31)
    assert.equal(task.mock.callCount(), 0)
  })
})

describe('a stopped clock', () => {
  test('runs timers in the order they are due, each at its own time', () => {
    const clock = new StoppedClock(1000)
    const seen: [string, number][] = []
    const note = (name: string) => () => void seen.push([name, clock.now()])
    clock.later(20, note('late'))
    clock.later(10, note('early'))
    clock.later(10, note('early, set second'))
    clock.later(31, note('never'))
    clock.advance(30)
    assert.deepEqual(seen, [
      ['early', 1010],
      ['early, set second', 1010],
      ['late', 1020],
    ])
    assert.equal(clock.now(), 1030)
    assert.equal(clock.waiting, 1)
  })

  test('runs each due timer once in a jump, at the new time', () => {
    const clock = new StoppedClock(1000)
    const seen: [string, number][] = []
    const repeat = (): void => {
      seen.push(['repeated', clock.now()])
      clock.later(10, repeat)
    }
    clock.later(20, () => seen.push(['late', clock.now()]))
    clock.later(10, repeat)
    const cancelled = clock.later(15, () => seen.push(['cancelled', clock.now()]))
    clock.later(12, () => cancelled.cancel())
    clock.later(5001, () => seen.push(['never', clock.now()]))
    clock.jump(5000)
    assert.deepEqual(seen, [
      ['repeated', 6000],
      ['late', 6000],
    ])
    assert.equal(clock.waiting, 2)
  })

  test('runs timers that were set on the way', () => {
    const clock = new StoppedClock()
    let rings = 0
    const ring = (): void => {
      rings++
      clock.later(10, ring)
    }
    clock.later(10, ring)
    clock.advance(35)
    assert.equal(rings, 3)
  })

  test('forgets a timer that was cancelled', () => {
    const clock = new StoppedClock()
    const task = mock.fn()
    clock.later(5, task).cancel()
    clock.advance(10)
    assert.equal(task.mock.callCount(), 0)
  })
})
