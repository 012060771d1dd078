// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
const password = 'correct horse'

describe('devices', () => {
  let server: TestServer
  let alice: { readonly token: string; readonly deviceId: string; readonly userId: string }
  before(async () => {
    server = await testServer()
    alice = await server.register('alice')
    await server.register('bob')
  })
  after(() => server.close())

  const login = async (deviceId: string, name?: string): Promise<string> => {
    const device = { device_id: deviceId, initial_device_display_name: name }
    const body = { type: 'm.login.password', user: 'alice', password, ...device }
    return String((await server.call('POST', `${v3}/login`, { body })).body['access_token'])
  }
  const call = (method: string, path: string, body?: object) =>
    server.call(method, `${v3}${path}`, { token: alice.token, ...(body ? { body } : {}) })
  const proof = (session: unknown, more: object = {}) => ({
    auth: { type: 'm.login.password', session, identifier: { type: 'm.id.user', user: 'alice' }, password, ...more },
  })

  test('are listed, and returned one by one', async () => {
    const token = await login('PHONE', 'my phone')
    const headers = { 'user-agent': 'a test' }
    await server.call('GET', `${v3}/account/whoami`, { token, headers })
    const seen = {
      device_id: 'PHONE',
      display_name: 'my phone',
      last_seen_ts: 1_700_000_000_000,
      last_seen_ip: '127.0.0.1',
    }
    // Reads see what is on disk; a write that comes after the one in the background is on disk after it.
    await server.rt.db.write(async () => {})
    const { body } = await call('GET', '/devices')
    const devices = body['devices'] as { device_id: string }[]
    assert.deepEqual(devices.map((device) => device.device_id).sort(), [alice.deviceId, 'PHONE'].sort())
    assert.deepEqual(
      devices.find((device) => device.device_id === 'PHONE'),
      seen,
    )
    assert.deepEqual((await call('GET', '/devices/PHONE')).body, seen)
  })

  test('have every member before they are named or used, as clients require', async () => {
    await login('NEW')
    const fresh = { device_id: 'NEW', display_name: null, last_seen_ts: null, last_seen_ip: null }
    assert.deepEqual((await call('GET', '/devices/NEW')).body, fresh)
    const devices = (await call('GET', '/devices')).body['devices'] as { device_id: string }[]
    assert.deepEqual(
      devices.find((device) => device.device_id === 'NEW'),
      fresh,
    )
  })

  test('update their last use at most once a minute', async () => {
    const token = await login('SEEN')
    const look = async (): Promise<unknown> => {
      await server.call('GET', `${v3}/account/whoami`, { token })
      await server.rt.db.write(async () => {})
      return (await call('GET', '/devices/SEEN')).body['last_seen_ts']
    }
    const first = Number(await look())
    server.rt.clock.advance(59_999)
    assert.equal(await look(), first)
    server.rt.clock.advance(1)
    assert.equal(await look(), first + 60_000)
  })

  test('are renamed, and keep their name where none is given', async () => {
    await login('NAMED', 'old')
    assert.equal((await call('PUT', '/devices/NAMED', { display_name: 'new' })).status, 200)
    assert.equal((await call('PUT', '/devices/NAMED', {})).status, 200)
    assert.equal((await call('GET', '/devices/NAMED')).body['display_name'], 'new')
  })

  const refusals = [
    ['asking for one there is not', 'GET', '/devices/NOTHING', undefined, 404, 'M_NOT_FOUND'],
    ['asking for a null byte', 'GET', '/devices/%00', undefined, 400, 'M_INVALID_PARAM'],
    ['naming one there is not', 'PUT', '/devices/NOTHING', { display_name: 'x' }, 404, 'M_NOT_FOUND'],
    ['naming one there is not nothing', 'PUT', '/devices/NOTHING', {}, 404, 'M_NOT_FOUND'],
    ['a long name', 'PUT', '/devices/X', { display_name: 'x'.repeat(101) }, 400, 'M_TOO_LARGE'],
    ['a name that is not text', 'PUT', '/devices/X', { display_name: 1 }, 400, 'M_BAD_JSON'],
    ['deleting no list', 'POST', '/delete_devices', {}, 400, 'M_MISSING_PARAM'],
    ['deleting a list of numbers', 'POST', '/delete_devices', { devices: [1] }, 400, 'M_BAD_JSON'],
  ] as const
  for (const [name, method, path, body, status, code] of refusals) {
    test(`refuse ${name}`, async () => {
      const answer = await call(method, path, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }

  test('are deleted with the password, and their tokens with them', async () => {
    const token = await login('OLD')
    const first = await call('DELETE', '/devices/OLD')
    assert.deepEqual([first.status, first.body['flows']], [401, [{ stages: ['m.login.password'] }]])
    const { session } = first.body
    const wrong = await call('DELETE', '/devices/OLD', proof(session, { password: 'wrong' }))
    assert.deepEqual([wrong.status, wrong.body['errcode'], wrong.body['session']], [401, 'M_FORBIDDEN', session])
    assert.equal((await call('DELETE', '/devices/OLD', proof(session))).status, 200)
    assert.equal((await call('GET', '/devices/OLD')).status, 404)
    assert.equal((await server.call('GET', `${v3}/account/whoami`, { token })).status, 401)
  })

  test('are deleted several at a time', async () => {
    await Promise.all([login('A'), login('B')])
    const devices = ['A', 'B', 'NEVER']
    const { session } = (await call('POST', '/delete_devices', { devices })).body
    assert.equal((await call('POST', '/delete_devices', { devices, ...proof(session) })).status, 200)
    assert.equal((await call('GET', '/devices/A')).status, 404)
    assert.equal((await call('GET', '/devices/B')).status, 404)
  })

  test('are not deleted with an authentication session of another request', async () => {
    await login('KEPT')
    const { session } = (await call('DELETE', '/devices/OTHER')).body
    const switched = await call('DELETE', '/devices/KEPT', proof(session))
    assert.deepEqual([switched.status, switched.body['errcode']], [403, 'M_FORBIDDEN'])
    const list = await call('POST', '/delete_devices', { devices: ['KEPT', 'OTHER'], ...proof(session) })
    assert.equal(list.status, 403)
    assert.equal((await call('GET', '/devices/KEPT')).status, 200)
  })

  test('are not deleted with the password of another user', async () => {
    await login('MINE')
    const { session } = (await call('DELETE', '/devices/MINE')).body
    const answer = await call(
      'DELETE',
      '/devices/MINE',
      proof(session, { identifier: { type: 'm.id.user', user: 'bob' } }),
    )
    assert.deepEqual([answer.status, answer.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.equal((await call('GET', '/devices/MINE')).status, 200)
  })

  test('are not deleted with an authentication session that is a day old', async () => {
    await login('STAYS')
    const { session } = (await call('DELETE', '/devices/STAYS')).body
    server.rt.clock.jump(24 * 3_600_000)
    const late = await call('DELETE', '/devices/STAYS', proof(session))
    assert.deepEqual([late.status, late.body['errcode']], [400, 'M_UNKNOWN'])
  })
})
