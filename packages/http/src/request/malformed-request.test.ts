// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app/app.ts'
import { endpointsOf } from '../app/endpoints.ts'

describe('a request that cannot be routed', () => {
  let rt: TestRuntime
  let app: FastifyInstance
  let port: number
  before(async () => {
    rt = await testRuntime()
    app = buildApp(rt, endpointsOf(['client']), { isForwarded: false, maxBodyBytes: 1_000_000 })
    port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
  })
  after(async () => {
    await app.close()
    await rt.close()
  })

  /** Sends text as it is and returns the reply. */
  async function exchange(text: string): Promise<{ status: number; head: string; body: string }> {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.write(text)
    await new Promise((resolve) => socket.once('close', resolve))
    const [head = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body }
  }

  const v3 = '/_matrix/client/v3'
  const close = 'Host: a\r\nConnection: close\r\n'
  const json = 'Content-Type: application/json\r\n'
  const requests = [
    ['a bad % escape', `GET ${v3}/profile/%zz HTTP/1.1\r\n${close}\r\n`, 400, 'M_INVALID_PARAM'],
    ['an escape that is not UTF-8', `GET ${v3}/profile/%ff HTTP/1.1\r\n${close}\r\n`, 400, 'M_INVALID_PARAM'],
    ['a bad escape in an unknown path', `GET /nowhere/%zz HTTP/1.1\r\n${close}\r\n`, 400, 'M_INVALID_PARAM'],
    ['a long id', `GET ${v3}/profile/@${'a'.repeat(5000)} HTTP/1.1\r\n${close}\r\n`, 414, 'M_INVALID_PARAM'],
    ['a long path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${close}\r\n`, 431, 'M_UNKNOWN'],
    ['a long header', `GET /health HTTP/1.1\r\n${close}X-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'M_UNKNOWN'],
    ['a bad header', `GET /health HTTP/1.1\r\n${close}Bad Header: a\r\n\r\n`, 400, 'M_UNKNOWN'],
    [
      'two lengths',
      `POST ${v3}/login HTTP/1.1\r\n${close}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
      400,
      'M_UNKNOWN',
    ],
    ['no host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'M_UNKNOWN'],
    [
      'an unknown expectation',
      `GET ${v3}/account/whoami HTTP/1.1\r\n${close}Expect: tea\r\n\r\n`,
      401,
      'M_MISSING_TOKEN',
    ],
    ['no HTTP', 'hello\r\n\r\n', 400, 'M_UNKNOWN'],
    [
      'an unknown path with a JSON type and no body',
      `POST /nowhere HTTP/1.1\r\n${close}${json}\r\n`,
      404,
      'M_UNRECOGNIZED',
    ],
    [
      'an unknown path with broken JSON',
      `POST /nowhere HTTP/1.1\r\n${close}${json}Content-Length: 1\r\n\r\n{`,
      404,
      'M_UNRECOGNIZED',
    ],
    [
      'an unknown path with a bad type',
      `POST /nowhere HTTP/1.1\r\n${close}Content-Type: x\r\n\r\n`,
      404,
      'M_UNRECOGNIZED',
    ],
    [
      'an unknown method',
      `PUT ${v3}/login HTTP/1.1\r\n${close}${json}Content-Length: 1\r\n\r\n{`,
      405,
      'M_UNRECOGNIZED',
    ],
    [
      'a body with no JSON type',
      `POST ${v3}/login HTTP/1.1\r\n${close}Content-Type: x\r\nContent-Length: 2\r\n\r\n{}`,
      400,
      'M_MISSING_PARAM',
    ],
  ] as const
  for (const [name, text, status, code] of requests) {
    test(`with ${name} is answered with ${status} ${code}, with CORS headers`, async () => {
      const reply = await exchange(text)
      assert.equal(reply.status, status)
      assert.equal((JSON.parse(reply.body) as { errcode: string }).errcode, code)
      assert.match(reply.head, /^access-control-allow-origin: \*\r?$/m)
      assert.match(reply.head, /^content-type: application\/json\r?$/m)
    })
  }

  test('leaves other requests on the connection alone', async () => {
    const { body, head } = await exchange(
      `HEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\nHEAD ${v3}/login HTTP/1.1\r\n${close}\r\n`,
    )
    assert.match(head, /^http\/1.1 404/)
    assert.match(body.toLowerCase(), /^http\/1.1 200/)
  })
})

describe('HEAD', () => {
  test('is answered like GET at every path, without a body', async () => {
    const rt = await testRuntime()
    const endpoints = endpointsOf(['client', 'federation', 'metrics'])
    const app = buildApp(rt, endpoints, { isForwarded: false, maxBodyBytes: 1_000_000 })
    for (const { method, path } of endpoints) {
      const [url = ''] = [path].flat()
      const [get, head] = [await app.inject({ method: 'GET', url }), await app.inject({ method: 'HEAD', url })]
      assert.equal(head.body, '', url)
      assert.equal(head.statusCode, get.statusCode, url)
      assert.equal(head.headers['content-type'], get.headers['content-type'], url)
      if (url.endsWith('metrics')) continue // The figures change between two requests.
      if (method === 'GET') assert.equal(head.headers['content-length'], get.headers['content-length'], url)
    }
    const health = await app.inject({ method: 'HEAD', url: '/health' })
    assert.deepEqual([health.statusCode, health.headers['content-length']], [200, '2'])
    await app.close()
    await rt.close()
  })
})
