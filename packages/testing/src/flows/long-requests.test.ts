// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_BODY_BYTES } from '@myelin/http/body-sizes'
import type { AnyEndpoint } from '@myelin/http/endpoint'
import { endpointsOf } from '@myelin/http/app/endpoints'
import { pathsOf } from '@myelin/http/app/mount'
import { MAX_TURN_COST_US, takeLongestTurn } from '@myelin/kit/turn'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { parseJson } from '@myelin/matrix/parse-json'
import { putAccountData } from '@myelin/storage/accounts/account-data'
import { onEveryDatabase } from '../databases.ts'
import { testSigningKey } from '../runtime.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'
import { keyDocument } from '../fake-servers/honest-answers.ts'
import { InProcessServers } from '../fake-servers/in-process-servers.ts'
import { worstBodies } from '../worst-bodies.ts'
import { xMatrixHeader } from '../fake-servers/x-matrix.ts'

/** A turn ends with the step that fills it, and some loops run beside the request. */
const MOST_US = 1.5 * MAX_TURN_COST_US
const FAR = 'far.test'
const SHORT_BYTES = 64 * 1024

onEveryDatabase('a request of many entries', (open) => {
  /** Returns a server that knows the key of another, and a user of it. */
  async function stage() {
    const servers = new InProcessServers()
    const server = await testServer(open, {}, { transport: servers })
    servers.set(FAR, () => keyDocument(FAR, { validUntilTs: server.rt.clock.now() + 86_400_000_000 }))
    const alice = await server.register('alice')
    const { body } = await server.call('POST', '/_matrix/client/v3/createRoom', { token: alice.token, body: {} })
    return { server, ...alice, roomId: String(body['room_id']) }
  }

  /** Asserts that work fills no turn of the event loop with more than so much. */
  async function assertShortTurns<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    takeLongestTurn()
    const value = await work()
    const longestUs = takeLongestTurn()
    assert.ok(longestUs <= MOST_US, `${name} takes a turn of ${longestUs} us`)
    return value
  }

  async function send(
    endpoint: AnyEndpoint,
    text: string,
    { server, token, ...named }: Awaited<ReturnType<typeof stage>>,
  ) {
    const names: Readonly<Record<string, string>> = { roomId: named.roomId, userId: named.userId, eventId: '$event' }
    const path = pathsOf(endpoint)[0] ?? ''
    const url = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(names[name] ?? 'x.name'))
    server.rt.clock.advance(3_600_000)
    if (endpoint.access !== 'server') return server.call(endpoint.method, url, { token, body: text })
    const content = parseJson(text)
    const unsigned = { origin: FAR, destination: server.name, method: endpoint.method, uri: url, content }
    const authorization = xMatrixHeader(unsigned, testSigningKey(FAR))
    return server.call(endpoint.method, url, { body: text, headers: { authorization } })
  }

  for (const endpoint of endpointsOf(['client', 'federation'])) {
    const length = Math.min(SHORT_BYTES, endpoint.maxBodyBytes ?? MAX_BODY_BYTES.small)
    const valid = worstBodies(endpoint.id, length).filter(({ name }) => name.startsWith('valid'))
    if (valid.length === 0) continue
    test(`leaves others their turn: ${endpoint.method} ${endpoint.id}`, async () => {
      const at = await stage()
      for (const { name, text } of valid) {
        const { status } = await assertShortTurns(`${endpoint.id} (${name})`, () => send(endpoint, text, at))
        assert.ok(status < 500, `${name}: ${status}`)
      }
      await at.server.close()
    })
  }

  const members = async (server: TestServer, token: string, roomId: string) => {
    const path = `/_matrix/client/v3/rooms/${roomId}/members?membership=invite`
    const { body } = await assertShortTurns('members', () => server.call('GET', path, { token }))
    return (body['chunk'] as { state_key: string }[]).map((event) => event.state_key)
  }

  test('is done whole: createRoom invites a thousand users, once each', async () => {
    const { server, token } = await stage()
    const invite = Array.from({ length: 1000 }, (_, at) => `@u${at}:one.test`)
    const { status, body } = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body: { invite } })
    assert.equal(status, 200)
    assert.deepEqual((await members(server, token, String(body['room_id']))).toSorted(), invite.toSorted())
    await server.close()
  })

  test('that is refused leaves no room behind, however many are invited', async () => {
    const { server, token, userId } = await stage()
    const { status } = await server.call('POST', '/_matrix/client/v3/createRoom', {
      token,
      body: {
        room_version: '10',
        invite: Array.from({ length: 100 }, (_, at) => `@u${at}:one.test`),
        power_level_content_override: { users: { [userId]: 50 }, events: {}, invite: 60 },
      },
    })
    assert.equal(status, 403)
    const { body } = await server.call('GET', '/_matrix/client/v3/joined_rooms', { token })
    assert.equal((body['joined_rooms'] as string[]).length, 1)
    await server.close()
  })

  test('reads in steps: a first sync with thousands of entries of account data', async () => {
    const { server, token, userId, roomId } = await stage()
    for (let start = 0; start < 6000; start += 1000) {
      await server.rt.db.write(async (tx) => {
        for (let at = start; at < start + 1000; at++) {
          const entry = { userId: userId as UserId, type: `t${at}`, content: { at } }
          await putAccountData(tx, { ...entry, roomId: at % 2 === 0 ? '' : (roomId as RoomId) })
        }
      })
    }
    const { body } = await assertShortTurns('sync', () => server.call('GET', '/_matrix/client/v3/sync', { token }))
    const { events } = body['account_data'] as { events: { type: string; content: object }[] }
    assert.equal(events.filter(({ type }) => /^t\d+$/.test(type)).length, 3000)
    assert.deepEqual(events.find(({ type }) => type === 't4')?.content, { at: 4 })
    await server.close()
  })
})
