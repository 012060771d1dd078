// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { freePort } from './free-port.ts'
import { RequestLog } from './request-log.ts'

test('a request log passes requests on and keeps them with their responses', async (t) => {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/broken') return void incoming.socket.destroy()
    outgoing.writeHead(404, { 'content-type': 'application/json' }).end('{"errcode":"M_NOT_FOUND"}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const port = await freePort()
  const log = await RequestLog.open(port, (server.address() as AddressInfo).port)
  t.after(() => log.close())
  const url = `http://127.0.0.1:${port}`
  const answer = await fetch(`${url}/state?at=1`, { method: 'PUT', body: '{"a":1}' })
  assert.deepEqual(await answer.json(), { errcode: 'M_NOT_FOUND' })
  await assert.rejects(fetch(`${url}/broken`))

  assert.deepEqual(
    log.requests.map(({ status }) => status),
    [404, 0],
  )
  assert.deepEqual([log.requests[0]?.body, log.requests[0]?.query.get('at')], [{ a: 1 }, '1'])
})
