// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlidingClient } from '../../clients/sliding-client.ts'
import { onEveryDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import type { Answer, TestServer } from '../../server.ts'
import { ALL } from '../../stages/sliding-stage.ts'

const v3 = '/_matrix/client/v3'
type Person = Awaited<ReturnType<TestServer['register']>>

/** Each way to wait for changes; returns the request that waits. */
const POLLS: Readonly<Record<string, (server: TestServer, person: Person) => Promise<() => Promise<Answer>>>> = {
  '/sync': async (server, { token }) => {
    const { body } = await server.call('GET', `${v3}/sync`, { token })
    return () => server.call('GET', `${v3}/sync?since=${String(body['next_batch'])}&timeout=30000`, { token })
  },
  'sliding sync': async (server, { token }) => {
    const phone = new SlidingClient(server, token, 'msc3575')
    await phone.sync(ALL)
    return () => phone.ask(ALL, { timeoutMs: 30_000 })
  },
  'sliding sync of v4': async (server, { token }) => {
    const phone = new SlidingClient(server, token, 'v4')
    await phone.sync({})
    return () => phone.ask({}, { timeoutMs: 30_000 })
  },
}

onEveryDatabase('a request that waits', (open) => {
  for (const [name, begin] of Object.entries(POLLS)) {
    for (const way of ['logout', 'logout/all']) {
      test(`${name} is refused as the device's token is, once ${way} deleted the device`, async (t) => {
        const server = await testServer(open)
        t.after(() => server.close())
        const alice = await server.register('alice')
        await server.call('POST', `${v3}/createRoom`, { token: alice.token, body: { name: 'room' } })
        const poll = await begin(server, alice)
        const timers = server.rt.clock.waiting
        const waiting = poll()
        while (server.rt.clock.waiting <= timers) await new Promise((resolve) => setImmediate(resolve))
        await server.call('POST', `${v3}/${way}`, { token: alice.token, body: {} })
        let isAnswered = false
        const answered = waiting.finally(() => (isAnswered = true))
        // The throttle of busy rooms may hold the answer back.
        for (let ms = 0; !isAnswered; ms += 10) {
          if (ms < 20_000) server.rt.clock.advance(10)
          await new Promise((resolve) => setImmediate(resolve))
        }
        const { status, body } = await answered
        assert.deepEqual([status, body['errcode'], body['soft_logout']], [401, 'M_UNKNOWN_TOKEN', false])
      })
    }
  }
})
