// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLog } from '@myelin/kit/log'
import { MatrixError } from '@myelin/matrix/errors'
import { testRuntime } from '@myelin/testing/runtime'
import { Type } from 'typebox'
import { buildApp } from './app.ts'
import { endpoint } from '../endpoint.ts'
import { EmptySchema } from '../reply-schemas.ts'
import { JsonObjectSchema } from '../schemas.ts'

/** Calls `use` with a server that logs what its endpoints do, and the lines it logged. */
async function withServer(use: (app: ReturnType<typeof buildApp>, lines: Record<string, unknown>[]) => Promise<void>) {
  const lines: Record<string, unknown>[] = []
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }
  const rt = { ...(await testRuntime()), log: createLog({ level: 'info', format: 'json' }, sink) }
  const both = Promise.withResolvers<void>()
  let count = 0
  const common = { method: 'POST', access: 'none', body: JsonObjectSchema, reply: EmptySchema } as const
  const endpoints = [
    endpoint({
      ...common,
      id: 'meet',
      path: '/meet',
      handle: async ({ body }, { log }) => {
        if (++count === 2) both.resolve()
        await both.promise
        log.child({ part: 'meeting' }).info({ name: body['name'] }, 'met')
        return {}
      },
    }),
    endpoint({
      ...common,
      id: 'refuses',
      path: '/refuses',
      handle: () => Promise.reject(new MatrixError('M_FORBIDDEN', 'no')),
    }),
    endpoint({ ...common, id: 'fails', path: '/fails', handle: () => Promise.reject(new Error('expected')) }),
    endpoint({
      ...common,
      id: 'checks',
      path: '/checks',
      body: Type.Object({ name: Type.String() }),
      handle: async () => ({}),
    }),
  ]
  const app = buildApp(rt, endpoints, { isForwarded: false, maxBodyBytes: 1000 })
  await use(app, lines)
  await app.close()
  await rt.close()
}

const post = (url: string, id: string | undefined, body: object = {}) => ({
  method: 'POST' as const,
  url,
  headers: id === undefined ? {} : { 'x-request-id': id },
  payload: JSON.stringify(body),
})

describe('the id of a request', () => {
  test('separates the log lines of two concurrent requests', () =>
    withServer(async (app, lines) => {
      const ids = ['first', 'second']
      const replies = await Promise.all(ids.map((id) => app.inject(post('/meet', id, { name: id }))))
      assert.deepEqual(
        replies.map(({ headers }) => headers['x-request-id']),
        ids,
      )
      assert.equal(lines.length, 2)
      for (const line of lines) {
        assert.equal(line['requestId'], line['name'])
        assert.equal(line['part'], 'meeting')
      }
    }))

  test('is a new one for each request without one, or with one that is not valid', () =>
    withServer(async (app) => {
      const sent = [undefined, '', 'a b', 'a\u00e9', 'x'.repeat(65), 'id;drop', '{"a":1}']
      const seen = new Set<unknown>()
      for (const id of sent) {
        const { headers } = await app.inject(post('/checks', id, { name: 'x' }))
        assert.match(String(headers['x-request-id']), /^[A-Za-z0-9]{8}-[0-9a-z]+$/)
        seen.add(headers['x-request-id'])
      }
      assert.equal(seen.size, sent.length)
      const longest = 'aZ0_-'.repeat(12).padEnd(64, 'x')
      const { headers } = await app.inject(post('/checks', longest, { name: 'x' }))
      assert.equal(headers['x-request-id'], longest)
    }))

  test('is in every error reply, and browsers may read it', () =>
    withServer(async (app, lines) => {
      const asked = [
        ['/refuses', 403],
        ['/fails', 500],
        ['/checks', 400],
        ['/nowhere', 404],
        ['/%zz', 400],
      ] as const
      for (const [url, status] of asked) {
        const { statusCode, headers } = await app.inject(post(url, 'mine'))
        assert.deepEqual([statusCode, headers['x-request-id']], [status, 'mine'], url)
        assert.equal(headers['access-control-expose-headers'], 'X-Request-ID')
      }
      const { statusCode, headers } = await app.inject({ ...post('/checks', 'mine'), method: 'PUT' })
      assert.deepEqual([statusCode, headers['x-request-id']], [405, 'mine'])
      const failures = lines.map(({ msg, requestId }) => [msg, requestId])
      assert.deepEqual(failures, [['request failed', 'mine']])
    }))
})
