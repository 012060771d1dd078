// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'

/** The requests that send an event: method, path below the room, and body. */
const SENDS = {
  message: ['PUT', 'send/m.room.message/txn', { msgtype: 'm.text', body: 'now' }],
  state: ['PUT', 'state/m.room.topic', { topic: 'now' }],
  'state with a key': ['PUT', 'state/org.example.kind/key', { topic: 'now' }],
  redaction: ['PUT', 'redact/EVENT/txn', {}],
} as const
type Send = keyof typeof SENDS

/** Query parameters that change how an event is sent, and the requests that have them. Delayed events are off here. */
const MODIFIERS: readonly (readonly [query: string, sends: readonly Send[]])[] = [
  ['org.matrix.msc4140.delay=60000', ['message', 'state', 'state with a key']],
  ['delay=60000', ['message', 'state', 'state with a key']],
  ['org.matrix.msc4140.parent_delay_id=abc', ['message', 'state', 'state with a key']],
  ['parent_delay_id=abc', ['message', 'state']],
  ['ts=1000', ['message', 'state', 'state with a key', 'redaction']],
]

describe('a request to send that asks for more than this server does', () => {
  let server: TestServer
  let token: string
  let deviceId: string
  let roomId: string
  let eventId: string
  before(async () => {
    server = await testServer(undefined, { delayedEvents: { maxDelayMs: 0, maxPerUser: 0 } })
    ;({ token, deviceId } = await server.register('alice'))
    roomId = String((await call('POST', 'createRoom', {})).body['room_id'])
    eventId = String((await send('message', '', 'first')).body['event_id'])
  })
  after(() => server.close())

  const call = (method: string, path: string, body?: object) =>
    server.call(method, `/_matrix/client/v3/${path}`, { token, ...(body ? { body } : {}) })
  const send = (what: Send, query: string, txn = 'txn') => {
    const [method, path, body] = SENDS[what]
    return call(
      method,
      `rooms/${roomId}/${path.replace('EVENT', eventId).replace('txn', txn)}${query && `?${query}`}`,
      body,
    )
  }
  const lastEvent = async () =>
    ((await call('GET', `rooms/${roomId}/messages?dir=b&limit=1`)).body['chunk'] as { event_id: string }[])[0]?.event_id

  for (const [query, sends] of MODIFIERS) {
    for (const what of sends) {
      test(`is refused with M_FORBIDDEN and sends nothing: ${what} with ${query}`, async () => {
        const before = await lastEvent()
        const { status, body } = await send(what, query)
        assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
        assert.equal(await lastEvent(), before)
      })
    }
  }

  test('is refused with the sentence that Synapse has where delayed events are off', async () => {
    const { body } = await send('message', 'org.matrix.msc4140.delay=1')
    assert.equal(body['error'], 'Sending delayed events has been disallowed')
  })

  for (const what of ['state', 'state with a key'] as const) {
    test(`is refused with M_INVALID_PARAM where it is sticky: ${what}`, async () => {
      const before = await lastEvent()
      for (const name of ['sticky_duration_ms', 'org.matrix.msc4354.sticky_duration_ms']) {
        const { status, body } = await send(what, `${name}=60000`)
        assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'])
      }
      assert.equal(await lastEvent(), before)
    })
  }

  test('is refused with M_INVALID_PARAM where the value is no number', async () => {
    for (const name of ['delay', 'ts', 'sticky_duration_ms', 'org.matrix.msc4140.delay']) {
      const { status, body } = await send('message', `${name}=soon`)
      assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'], name)
    }
  })

  test('is served where it asks for no related events', async () => {
    const said = String((await send('message', '', 'again')).body['event_id'])
    const answer = await call('PUT', `rooms/${roomId}/redact/${said}/none`, { with_rel_types: [] })
    assert.equal(answer.status, 200)
  })

  const assertions = ['user_id=@bob:one.test', 'device_id=OTHER', 'org.matrix.msc3202.device_id=OTHER']
  for (const query of assertions) {
    for (const what of Object.keys(SENDS) as Send[]) {
      test(`is refused as acting for another: ${what} with ${query}`, async () => {
        const before = await lastEvent()
        const { status, body } = await send(what, query)
        assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
        assert.equal(await lastEvent(), before)
      })
    }
    for (const path of ['sync', 'account/whoami', 'joined_rooms', 'devices', 'keys/changes?from=0&to=0&']) {
      test(`is refused as acting for another: ${path} with ${query}`, async () => {
        const { status, body } = await call('GET', `${path}${path.includes('?') ? '' : '?'}${query}`)
        assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
      })
    }
  }

  test('may name its own user and device', async () => {
    const query = `user_id=@alice:one.test&device_id=${deviceId}&org.matrix.msc3202.device_id=${deviceId}`
    assert.equal((await send('message', query, 'own')).status, 200)
    assert.equal((await call('GET', `account/whoami?${query}`)).status, 200)
  })
})
