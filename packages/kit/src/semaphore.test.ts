// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { Semaphore, TooManyWaiting } from './semaphore.ts'

describe('a semaphore', () => {
  test('runs tasks in order, no more at a time than it has permits', async () => {
    const semaphore = new Semaphore(2)
    const log: string[] = []
    const ends: (() => void)[] = []
    const tasks = [0, 1, 2, 3].map((number) =>
      semaphore.run(async () => {
        log.push(`start ${number}`)
        await new Promise<void>((resolve) => ends.push(resolve))
      }),
    )
    assert.deepEqual([log, semaphore.waiting], [['start 0', 'start 1'], 2])
    ends[1]?.()
    await turn()
    assert.deepEqual([log.at(-1), semaphore.waiting], ['start 2', 1])
    for (let end = 0; end < 4; end++) {
      ends[end]?.()
      await turn()
    }
    await Promise.all(tasks)
    assert.equal(semaphore.isIdle, true)
  })

  test('gives keys permits in turns, and keeps the order within a key', async () => {
    const semaphore = new Semaphore(1)
    const done: string[] = []
    let running = 0
    const run = (name: string) =>
      semaphore.run(
        async () => {
          assert.equal(++running, 1)
          await turn()
          running--
          done.push(name)
        },
        { key: name[0] ?? '' },
      )
    await Promise.all(['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map(run))
    assert.deepEqual(done, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
    await run('a4')
    assert.equal(done.at(-1), 'a4')
  })

  test('refuses a task where the queue of its key is full, and runs all others, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 30 }),
        async (tasks) => {
          const semaphore = new Semaphore(1, { maxWaitingPerKey: 4 })
          const results = await Promise.allSettled(
            tasks.map(([key, fails]) =>
              semaphore.run(() => (fails ? Promise.reject(new Error('x')) : Promise.resolve(key)), { key }),
            ),
          )
          const [first] = tasks
          for (const each of ['a', 'b', 'c']) {
            const refused = results.filter(
              (result, at) =>
                tasks[at]?.[0] === each && result.status === 'rejected' && result.reason instanceof TooManyWaiting,
            ).length
            const own = tasks.filter(([key]) => key === each).length - (first?.[0] === each ? 1 : 0)
            assert.equal(refused, Math.max(0, own - 4))
          }
          assert.equal(await semaphore.run(async () => 7, { key: 'z' }), 7)
          assert.deepEqual([semaphore.isIdle, semaphore.waiting], [true, 0])
        },
      ),
    )
  })

  test('takes a permit back once, however often it is given back', async () => {
    const semaphore = new Semaphore(1)
    const release = await semaphore.acquire()
    release()
    release()
    await semaphore.acquire()
    let isAcquired = false
    void semaphore.acquire().then(() => (isAcquired = true))
    await turn()
    assert.deepEqual([isAcquired, semaphore.waiting], [false, 1])
  })

  test('ends a wait when its signal aborts, and passes the permit to the next', async () => {
    const semaphore = new Semaphore(1)
    const release = await semaphore.acquire()
    const controller = new AbortController()
    const left = semaphore.acquire({ signal: controller.signal })
    const next = semaphore.acquire({ signal: new AbortController().signal })
    controller.abort(new Error('too late'))
    await assert.rejects(left, /too late/)
    assert.equal(semaphore.waiting, 1)
    release()
    ;(await next)()
    assert.equal(semaphore.isIdle, true)
    await assert.rejects(semaphore.acquire({ signal: controller.signal }), /too late/)
  })
})
