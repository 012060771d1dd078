// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FairTurns, TooManyWaiting } from './fair-turns.ts'

describe('fair turns', () => {
  test('go round among names, one task at a time, and in order within a name', async () => {
    const turns = new FairTurns(10)
    const done: string[] = []
    let running = 0
    const task = (name: string) =>
      turns.run(name[0] ?? '', async () => {
        assert.equal(++running, 1)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        done.push(name)
      })
    await Promise.all(['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map(task))
    assert.deepEqual(done, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2'])
    await task('a4')
    assert.equal(done.at(-1), 'a4')
  })

  test('are had by everybody, whatever fails, and refused to who has too many waiting', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 30 }),
        async (tasks) => {
          const turns = new FairTurns(4)
          const results = await Promise.allSettled(
            tasks.map(([name, fails]) =>
              turns.run(name, () => (fails ? Promise.reject(new Error('x')) : Promise.resolve(name))),
            ),
          )
          const [first] = tasks
          for (const each of ['a', 'b', 'c']) {
            const refused = results.filter(
              (result, at) =>
                tasks[at]?.[0] === each && result.status === 'rejected' && result.reason instanceof TooManyWaiting,
            ).length
            const own = tasks.filter(([name]) => name === each).length - (first?.[0] === each ? 1 : 0)
            assert.equal(refused, Math.max(0, own - 4))
          }
          assert.equal(await turns.run('z', async () => 7), 7)
        },
      ),
    )
  })
})
