// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { testRuntime } from '@myelin/testing/runtime'
import { Type } from 'typebox'
import { buildApp } from './app.ts'
import { endpoint, Reply } from '../endpoint.ts'
import { BytesSchema, EmptySchema } from '../reply-schemas.ts'

test('closing the server answers waiting and running requests', async () => {
  const rt = await testRuntime()
  const entered = Promise.withResolvers<void>()
  const waits = endpoint({
    id: 'waits',
    method: 'GET',
    path: '/waits',
    access: 'none',
    query: Type.Object({}),
    reply: Type.Object({ answered: Type.Boolean() }),
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

test('a request on an open connection while the server closes gets 503 M_UNKNOWN with CORS headers', async () => {
  const rt = await testRuntime()
  const [entered, closing, released] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
  ]
  const plain = { method: 'GET', access: 'none', reply: EmptySchema } as const
  const waits = endpoint({
    ...plain,
    id: 'waits',
    path: '/waits',
    async handle({ signal }) {
      signal.addEventListener('abort', () => closing.resolve(), { once: true })
      entered.resolve()
      await released.promise
      return {}
    },
  })
  const app = buildApp(rt, [waits], { isForwarded: false, maxBodyBytes: 1000 })
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  const socket = connect(Number(url.port), url.hostname)
  const request = `GET /waits HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`
  socket.write(request)
  await entered.promise
  const closed = app.close()
  await closing.promise
  app.server.once('request', () => released.resolve())
  socket.write(request)
  const received = await text(socket)
  await closed
  const [, first = '', second = ''] = received.split('HTTP/1.1 ')
  assert.match(first, /^200 /)
  assert.match(second, /^503 /)
  assert.match(second, /access-control-allow-origin: \*/i)
  assert.match(second, /retry-after: 5/i)
  assert.match(second, /"errcode":"M_UNKNOWN","error":"the server is shutting down"/)
  await rt.close()
})

test('every reply has CORS headers, including errors', async () => {
  const rt = await testRuntime()
  const plain = { method: 'GET', access: 'none', reply: EmptySchema } as const
  const app = buildApp(
    rt,
    [
      endpoint({ ...plain, id: 'works', path: '/works', handle: async () => ({}) }),
      endpoint({
        ...plain,
        id: 'streams',
        path: '/streams',
        reply: BytesSchema,
        handle: async () => new Reply(200, Readable.from(['x'])),
      }),
      endpoint({ ...plain, id: 'fails', path: '/fails', handle: () => Promise.reject(new Error('expected')) }),
      endpoint({ ...plain, id: 'guarded', path: '/guarded', access: 'user', handle: async () => ({}) }),
    ],
    { isForwarded: false, maxBodyBytes: 1000 },
  )
  const asked = [
    ['GET', '/works', 200],
    ['GET', '/streams', 200],
    ['GET', '/fails', 500],
    ['GET', '/guarded', 401],
    ['GET', '/nowhere', 404],
    ['GET', '/%zz', 400],
    ['PUT', '/works', 405],
    ['OPTIONS', '/works', 204],
    ['OPTIONS', '/nowhere', 204],
  ] as const
  for (const [method, url, status] of asked) {
    const { statusCode, headers } = await app.inject({ method, url })
    assert.equal(statusCode, status, url)
    assert.equal(headers['access-control-allow-origin'], '*', url)
    assert.match(String(headers['access-control-allow-methods']), /PUT/)
    assert.match(String(headers['access-control-allow-headers']), /Authorization/)
  }
  await app.close()
  await rt.close()
})
