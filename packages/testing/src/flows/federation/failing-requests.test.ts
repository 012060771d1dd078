// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@myelin/kit/log'
import { RemoteError } from '@myelin/remote/remote-error'
import type { OutgoingRequest } from '@myelin/remote/transport'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'

const FAILED = 'a request to another server failed'
const V3 = '/_matrix/client/v3'

type Line = Record<string, unknown>
type Call = readonly [method: string, path: string, body?: object]

/** A server with a user, whose requests to other servers get these answers, and the lines that it logs. */
async function stage(open: OpenDatabase, answer: (request: OutgoingRequest) => string | undefined = () => undefined) {
  const lines: Line[] = []
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as Line) }
  const transport = {
    send: async (request: OutgoingRequest) => {
      const text = answer(request)
      if (text === undefined) throw new RemoteError('unreachable', `no way leads to ${request.destination}`)
      return { status: 200, headers: {}, body: [Buffer.from(text)].values() as never }
    },
    close: async () => {},
  }
  const log = createLog({ level: 'info', format: 'json' }, sink)
  const server = await testServer(open, {}, { transport, log })
  const alice = await server.register('alice')
  const ask = ([method, path, body]: Call, id: string) =>
    server.call(method, path, { token: alice.token, headers: { 'x-request-id': id }, ...(body ? { body } : {}) })
  return { server, alice, lines, ask }
}

/** A request of a client that needs another server, and the path of the request to that server. */
const lookups: Readonly<Record<string, readonly [call: (server: string) => Call, path: RegExp]>> = {
  profile: [(server) => ['GET', `${V3}/profile/@bob:${server}`], /\/query\/profile$/],
  alias: [(server) => ['GET', `${V3}/directory/room/${encodeURIComponent(`#a:${server}`)}`], /\/query\/directory$/],
  directory: [(server) => ['GET', `${V3}/publicRooms?server=${server}`], /\/publicRooms$/],
  'device keys': [
    (server) => ['POST', `${V3}/keys/query`, { device_keys: { [`@bob:${server}`]: [] } }],
    /\/user\/keys\/query$/,
  ],
  'one-time keys': [
    (server) => ['POST', `${V3}/keys/claim`, { one_time_keys: { [`@bob:${server}`]: { A: 'signed_curve25519' } } }],
    /\/user\/keys\/claim$/,
  ],
  media: [(server) => ['GET', `/_matrix/client/v1/media/download/${server}/abc`], /\/media\/download\/abc$/],
  join: [(server) => ['POST', `${V3}/join/${encodeURIComponent(`!a:${server}`)}?via=${server}`], /\/make_join\/!a%3A/],
  knock: [
    (server) => ['POST', `${V3}/knock/${encodeURIComponent(`!a:${server}`)}?via=${server}`],
    /\/make_knock\/!a%3A/,
  ],
}

onEveryDatabase('failing requests to other servers', (open) => {
  test('are logged once each, with the ID of the request that needed them', async () => {
    const { server, lines, ask } = await stage(open)
    for (const [number, [name, [callOf, path]]] of Object.entries(lookups).entries()) {
      const target = `s${number}.test`
      await ask(callOf(target), `id-${number}`)
      const found = lines.filter((line) => line['server'] === target)
      assert.deepEqual(
        found.map((line) => [line['level'], line['msg'], line['requestId'], line['fault']]),
        [['info', FAILED, `id-${number}`, 'unreachable']],
        name,
      )
      assert.match(String(found[0]?.['path']), path)
    }
    await server.close()
  })

  test('are logged where the answer is malformed', async () => {
    const { server, lines, ask } = await stage(open, () => '{}')
    for (const name of ['alias', 'media', 'join']) {
      const target = `${name}.test`
      await ask(lookups[name]![0](target), 'some')
      const found = lines.filter((line) => line['server'] === target)
      assert.deepEqual(
        found.map((line) => [line['msg'], line['requestId'], line['fault']]),
        [[FAILED, 'some', 'malformed']],
        name,
      )
    }
    await server.close()
  })

  test('are logged for keys of an origin, and for transactions with the time of the next try', async () => {
    const { server, alice, lines } = await stage(open)
    const authorization = `X-Matrix origin="dead.test",destination="${server.name}",key="ed25519:1",sig="${'A'.repeat(86)}"`
    const path = `/_matrix/federation/v1/event/${encodeURIComponent('$a')}`
    const { status } = await server.call('GET', path, { headers: { authorization, 'x-request-id': 'theirs' } })
    assert.equal(status, 401)
    assert.deepEqual(
      lines.map((line) => [line['msg'], line['requestId'], line['server'], line['path']]),
      [[FAILED, 'theirs', 'dead.test', '/_matrix/key/v2/server']],
    )
    lines.length = 0
    const messages = { '@bob:away.test': { A: {} } }
    const url = `${V3}/sendToDevice/m.test/t1`
    await server.call('PUT', url, { token: alice.token, body: { messages } })
    await server.workers.outbound.settled()
    assert.deepEqual(
      lines.map((line) => [line['msg'], line['server'], typeof line['pauseMs']]),
      [['a transaction failed; the server is retried later', 'away.test', 'number']],
    )
    await server.close()
  })

  test('of a dead server are logged at a bounded rate', async () => {
    const { server, lines, ask } = await stage(open)
    for (let user = 0; user < 30; user++) await ask(['GET', `${V3}/profile/@u${user}:dead.test`], `id-${user}`)
    assert.deepEqual(
      lines.map((line) => line['requestId']),
      ['id-0', 'id-1', 'id-2', 'id-3', 'id-4'],
    )
    server.rt.clock.advance(30_000)
    await ask(['GET', `${V3}/profile/@last:dead.test`], 'last')
    const last = lines.at(-1)
    assert.deepEqual([lines.length, last?.['requestId'], last?.['suppressed']], [6, 'last', 25])
    await server.close()
  })
})
