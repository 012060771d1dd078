// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { freePort } from '@myelin/testing/processes/free-port'
import { endpointsIn, refusalsIn } from './refusals.ts'
import { RequestLog } from './request-log.ts'

test('a request log passes requests on, keeps them, and tells errors that are explained from those that are not', async (t) => {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/broken') return void incoming.socket.destroy()
    const isKnown = incoming.url === '/_matrix/client/v1/auth_metadata'
    const errcode = isKnown ? 'M_UNRECOGNIZED' : 'M_NOT_FOUND'
    outgoing.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ errcode }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const port = await freePort()
  const log = await RequestLog.open(port, (server.address() as AddressInfo).port)
  t.after(() => log.close())
  const url = `http://127.0.0.1:${port}`
  const room = encodeURIComponent('!room:localhost')
  await fetch(`${url}/_matrix/client/v1/auth_metadata`)
  const answer = await fetch(`${url}/rooms/${room}/state?at=1`, { method: 'PUT', body: '{"a":1}' })
  assert.deepEqual(await answer.json(), { errcode: 'M_NOT_FOUND' })
  await assert.rejects(fetch(`${url}/broken`))

  assert.deepEqual(
    log.requests.map(({ status }) => status),
    [404, 404, 0],
  )
  assert.deepEqual([log.requests[1]?.body, log.requests[1]?.query.get('at')], [{ a: 1 }, '1'])
  assert.deepEqual(
    refusalsIn(log.requests).map(({ request, answer: error, because }) => [request, error, because !== undefined]),
    [
      ['GET /_matrix/client/v1/auth_metadata', '404 M_UNRECOGNIZED', true],
      ['PUT /rooms/*/state', '404 M_NOT_FOUND', false],
    ],
  )
  assert.deepEqual(endpointsIn(log.requests).at(-1), ['PUT /rooms/*/state', 1])
})
