// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

const v3 = '/_matrix/client/v3'
type Device = { readonly userId: string; readonly deviceId: string; readonly token: string }

describe('a message to devices', () => {
  let server: TestServer
  let count = 0
  before(async () => void (server = await testServer()))
  after(() => server.close())

  const newUser = () => server.register(`user${++count}x`)
  const secondDevice = async ({ userId }: Device): Promise<Device> => {
    const credentials = { type: 'm.login.password', user: userId, password: 'correct horse' }
    const { body } = await server.call('POST', `${v3}/login`, { body: credentials })
    return { userId, deviceId: String(body['device_id']), token: String(body['access_token']) }
  }
  let txn = 0
  const send = ({ token }: Device, messages: unknown, txnId = `t${++txn}`, type = 'm.test') =>
    server.call('PUT', `${v3}/sendToDevice/${type}/${txnId}`, { token, body: { messages } })
  const sync = async ({ token }: Device, since = '') => {
    const { body } = await server.call('GET', `${v3}/sync${since && `?since=${since}`}`, { token })
    const { events } = body['to_device'] as { events: { content: unknown; sender: string; type: string }[] }
    return { next: String(body['next_batch']), events, contents: events.map(({ content }) => content) }
  }

  test('is in every sync from the same token, and deleted once the next token is used', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const { next: since } = await sync(bob)
    assert.equal((await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 1 } } })).status, 200)
    const first = await sync(bob, since)
    assert.deepEqual(first.events, [{ type: 'm.test', sender: alice.userId, content: { n: 1 } }])
    await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 2 } } })
    assert.deepEqual((await sync(bob, since)).contents, [{ n: 1 }, { n: 2 }], 'the answer got lost')
    const second = await sync(bob, first.next)
    assert.deepEqual(second.contents, [{ n: 2 }])
    const third = await sync(bob, second.next)
    assert.deepEqual(third.contents, [])
    const left = await server.rt.db.read
      .selectFrom('to_device')
      .selectAll()
      .where('device_id', '=', bob.deviceId)
      .execute()
    assert.deepEqual(left, [])
  })

  test('is sent once per transaction id, device and type', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const other = await secondDevice(alice)
    const to = (n: number) => ({ [bob.userId]: { [bob.deviceId]: { n } } })
    for (const [device, n, type] of [
      [alice, 1, 'm.test'],
      [alice, 2, 'm.test'],
      [other, 3, 'm.test'],
      [alice, 4, 'm.other'],
    ] as const) {
      assert.deepEqual((await send(device, to(n), 'same', type)).body, {})
    }
    assert.deepEqual((await sync(bob)).contents, [{ n: 1 }, { n: 3 }, { n: 4 }])
  })

  test('for all devices goes to each once', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const other = await secondDevice(bob)
    await send(alice, { [bob.userId]: { '*': { to: 'all' }, [other.deviceId]: { to: 'one' } } })
    assert.deepEqual((await sync(bob)).contents, [{ to: 'all' }])
    assert.deepEqual((await sync(other)).contents, [{ to: 'one' }])
  })

  test('for unknown users is ignored', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const messages = JSON.parse(
      `{"${bob.userId}":{"__proto__":{},"UNKNOWN":{}},"@nobody:one.test":{"*":{}},"@eve:two.test":{"*":{}}}`,
    ) as object
    const { status, body } = await send(alice, messages)
    assert.deepEqual([status, body], [200, {}])
    assert.deepEqual((await sync(bob)).contents, [])
  })

  test('wakes a waiting sync', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const { next } = await sync(bob)
    server.rt.clock.advance(1000)
    const waiting = server.call('GET', `${v3}/sync?since=${next}&timeout=30000`, { token: bob.token })
    while (server.rt.clock.waiting === 0) await nextTurn()
    await send(alice, { [bob.userId]: { '*': { n: 1 } } })
    const { body } = await waiting
    assert.equal((body['to_device'] as { events: unknown[] }).events.length, 1)
  })

  test('is deleted with its device', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    await send(alice, { [bob.userId]: { '*': {} } })
    await server.call('POST', `${v3}/logout`, { token: bob.token, body: {} })
    const rows = await server.rt.db.read
      .selectFrom('to_device')
      .selectAll()
      .where('device_id', '=', bob.deviceId)
      .execute()
    assert.deepEqual(rows, [])
  })

  const refusals = [
    ['nothing', undefined, 400, 'M_MISSING_PARAM'],
    ['a list of users', [], 400, 'M_BAD_JSON'],
    ['a content that is text', { '@a:one.test': { '*': 'text' } }, 400, 'M_BAD_JSON'],
    ['a list of devices', { '@a:one.test': ['*'] }, 400, 'M_BAD_JSON'],
    ['an invalid user id', { alice: {} }, 400, 'M_BAD_JSON'],
    ['a user without a server', { '@alice': {} }, 400, 'M_INVALID_PARAM'],
    ['more than an event may hold', { '@a:one.test': { A: { text: 'x'.repeat(65_536) } } }, 413, 'M_TOO_LARGE'],
  ] as const
  for (const [name, messages, status, code] of refusals) {
    test(`of ${name} is refused`, async () => {
      const answer = await send(await newUser(), messages)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }

  test('that is refused leaves its transaction id free', async () => {
    const alice = await newUser()
    await send(alice, { [alice.userId]: { [alice.deviceId]: { n: 1 } }, '@alice': {} }, 'again')
    await send(alice, { [alice.userId]: { [alice.deviceId]: { n: 2 } } }, 'again')
    assert.deepEqual((await sync(alice)).contents, [{ n: 2 }])
  })
})
