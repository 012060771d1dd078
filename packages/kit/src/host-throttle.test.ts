// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { HostThrottle } from './host-throttle.ts'
import { StoppedClock } from './stopped-clock.ts'

const limit = { windowMs: 1000, sleepLimit: 4, sleepDelayMs: 500, rejectLimit: 3, concurrent: 2 }

/** Takes permits, and notes the requests that got one. */
function taker() {
  const clock = new StoppedClock()
  const throttle = new HostThrottle(clock, limit)
  const running = new Map<string, () => void>()
  const take = (host: string, name: string) => {
    const taken = throttle.take(host)
    if (typeof taken === 'number') return taken
    void taken.then((end) => running.set(name, end))
    return undefined
  }
  const end = (name: string) => {
    running.get(name)?.()
    running.delete(name)
  }
  const now = async () => {
    await turn()
    return [...running.keys()]
  }
  return { clock, take, end, now }
}

describe('the requests of a host', () => {
  test('run two at a time, the others in their order', async () => {
    const { take, end, now } = taker()
    for (const name of ['a', 'b', 'c', 'd']) take('one', name)
    assert.deepEqual(await now(), ['a', 'b'])
    end('a')
    assert.deepEqual(await now(), ['b', 'c'])
    end('c')
    end('b')
    assert.deepEqual(await now(), ['d'])
  })

  test('do not wait for those of another host', async () => {
    const { take, now } = taker()
    for (const name of ['a', 'b', 'c']) take('one', name)
    take('two', 'x')
    assert.deepEqual(await now(), ['a', 'b', 'x'])
  })

  test('are refused where too many wait, and say when to come again', async () => {
    const { take, end, now } = taker()
    for (const name of ['a', 'b', 'c', 'd']) assert.equal(take('one', name), undefined)
    await now()
    assert.equal(take('one', 'e'), undefined)
    assert.equal(take('one', 'f'), 250)
    end('a')
    await now()
    assert.equal(take('one', 'g'), undefined)
  })

  test('are held up where there were many within a window, and not in the next', async () => {
    const { clock, take, end, now } = taker()
    for (const name of ['a', 'b', 'c', 'd']) {
      take('one', name)
      await now()
      end(name)
    }
    take('one', 'late')
    assert.deepEqual(await now(), [])
    clock.advance(500)
    assert.deepEqual(await now(), ['late'])
    end('late')
    clock.advance(1000)
    take('one', 'later')
    assert.deepEqual(await now(), ['later'])
  })
})
