// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Bus } from './bus.ts'
import { createLog, withLogFields } from './log.ts'

test('a hint wakes every waiter for one of its topics, whichever waiters came and went before', () => {
  const topic = fc.constantFrom('a', 'b', 'c')
  const step = fc.record({
    waiter: fc.nat(4),
    topics: fc.uniqueArray(topic, { maxLength: 3 }),
    leaves: fc.boolean(),
    announced: fc.oneof(topic, fc.constant('*')),
  })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const bus = new Bus()
      const heard: string[] = []
      const wakes = Array.from({ length: 5 }, (_, index) => (shown: string) => void heard.push(`${index} ${shown}`))
      const waiting = new Map<number, { topics: readonly string[]; stop: () => void }>()
      for (const { waiter, topics, leaves, announced } of steps) {
        waiting.get(waiter)?.stop()
        waiting.delete(waiter)
        const wake = wakes[waiter]
        if (!leaves && wake) waiting.set(waiter, { topics, stop: bus.wait(topics, wake) })
        heard.length = 0
        bus.announce({ position: 1, topics: new Set([announced]) })
        const expected = [...waiting].flatMap(([index, { topics }]) =>
          topics.filter((each) => announced === '*' || each === announced).map(() => `${index} ${announced}`),
        )
        assert.deepEqual(heard.toSorted(), expected.toSorted())
        assert.equal(bus.topics, new Set([...waiting.values()].flatMap(({ topics }) => topics)).size)
      }
    }),
  )
})

test('work that a hint starts does not log the fields of the request that caused it', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) })
  const bus = new Bus()
  const work = async (message: string) => {
    await Promise.resolve()
    log.info({}, message)
  }
  const started: Promise<void>[] = []
  bus.wait(['a'], () => started.push(work('waiter')))
  bus.listen(() => started.push(work('listener')))
  await withLogFields({ requestId: 'one' }, async () => {
    bus.announce({ position: 1, topics: new Set(['a']) })
    await work('request')
  })
  await Promise.all(started)
  const ids = lines.map((line) => JSON.parse(line) as { msg: string; requestId?: string })
  assert.deepEqual(
    ids.map(({ msg, requestId }) => [msg, requestId]),
    [
      ['waiter', undefined],
      ['listener', undefined],
      ['request', 'one'],
    ],
  )
})
