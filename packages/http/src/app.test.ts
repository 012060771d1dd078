// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testRuntime } from '@myelin/testing/runtime'
import { Type } from 'typebox'
import { buildApp } from './app.ts'
import { endpoint } from './endpoint.ts'

test('closing answers who waits, and what is under way', async () => {
  const rt = await testRuntime()
  const entered = Promise.withResolvers<void>()
  const waits = endpoint({
    id: 'waits',
    method: 'GET',
    path: '/waits',
    access: 'none',
    query: Type.Object({}),
    async handle({ signal }) {
      entered.resolve()
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      return { answered: true }
    },
  })
  const app = buildApp(rt, [waits], { isForwarded: false, maxBodyBytes: 1000 })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = fetch(`${url}/waits`)
  await entered.promise
  await app.close()
  assert.deepEqual(await (await answer).json(), { answered: true })
  await rt.close()
})
