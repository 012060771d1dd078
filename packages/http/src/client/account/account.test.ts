// SPDX-License-Identifier: Apache-2.0
import { testConfig } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
const password = 'correct horse'

describe('an account', () => {
  let server: TestServer
  before(async () => void (server = await testServer()))
  after(() => server.close())

  const login = (user: string, given = password) =>
    server.call('POST', `${v3}/login`, { body: { type: 'm.login.password', user, password: given } })
  const isAlive = async (token: unknown) =>
    (await server.call('GET', `${v3}/account/whoami`, { token: String(token) })).status === 200
  const proof = (user: string) => ({ auth: { type: 'm.login.password', user, password } })

  test('changes its password, which logs out its other devices', async () => {
    const { token } = await server.register('alice')
    const other = (await login('alice')).body['access_token']
    const body = { new_password: 'battery staple' }
    const first = await server.call('POST', `${v3}/account/password`, { token, body })
    assert.equal(first.status, 401)
    const { session } = first.body
    const auth = { ...proof('alice').auth, session }
    assert.equal((await server.call('POST', `${v3}/account/password`, { token, body: { auth } })).status, 200)
    assert.deepEqual([await isAlive(token), await isAlive(other)], [true, false])
    assert.equal((await login('alice')).status, 403)
    assert.equal((await login('alice', 'battery staple')).status, 200)
  })

  test('keeps its devices on request', async () => {
    const { token } = await server.register('bob')
    const other = (await login('bob')).body['access_token']
    const body = { new_password: 'battery staple', logout_devices: false, ...proof('bob') }
    assert.equal((await server.call('POST', `${v3}/account/password`, { token, body })).status, 200)
    assert.deepEqual([await isAlive(token), await isAlive(other)], [true, true])
  })

  const refusals = [
    ['without a token', undefined, {}, 401, 'M_MISSING_TOKEN'],
    ['without a new password', 'carol', proof('carol'), 400, 'M_MISSING_PARAM'],
    ['with a new one that is too long', 'carol', { new_password: 'x'.repeat(513) }, 400, 'M_INVALID_PARAM'],
    [
      'with the wrong old one',
      'carol',
      { new_password: 'x', auth: { ...proof('carol').auth, password: 'x' } },
      401,
      'M_FORBIDDEN',
    ],
    ['with the password of another', 'carol', { new_password: 'x', ...proof('dave') }, 403, 'M_FORBIDDEN'],
    ['with nothing but a dummy', 'carol', { new_password: 'x', auth: { type: 'm.login.dummy' } }, 401, 'M_FORBIDDEN'],
  ] as const
  test('does not change its password', async (t) => {
    const carol = await server.register('carol')
    await server.register('dave')
    for (const [name, user, body, status, code] of refusals) {
      await t.test(name, async () => {
        const options = { body, ...(user === undefined ? {} : { token: carol.token }) }
        const answer = await server.call('POST', `${v3}/account/password`, options)
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      })
    }
    assert.equal((await login('carol')).status, 200)
  })

  test('is deactivated for good: no login, no profile, no rooms, and its name stays taken', async () => {
    const { token, userId } = await server.register('erin')
    const watcher = await server.register('frank')
    const room = await server.call('POST', `${v3}/createRoom`, { token, body: { preset: 'public_chat' } })
    const roomId = encodeURIComponent(String(room.body['room_id']))
    assert.equal((await server.call('POST', `${v3}/join/${roomId}`, { token: watcher.token, body: {} })).status, 200)
    assert.equal((await server.call('POST', `${v3}/account/deactivate`, { token, body: {} })).status, 401)
    const closed = await server.call('POST', `${v3}/account/deactivate`, { token, body: proof('erin') })
    assert.deepEqual([closed.status, closed.body], [200, { id_server_unbind_result: 'success' }])
    assert.equal(await isAlive(token), false)
    const late = await login('erin')
    assert.deepEqual([late.status, late.body['errcode']], [403, 'M_USER_DEACTIVATED'])
    const again = await server.call('POST', `${v3}/register`, { body: { username: 'erin', password } })
    assert.equal(again.body['errcode'], 'M_USER_IN_USE')
    const members = await server.call('GET', `${v3}/rooms/${roomId}/joined_members`, { token: watcher.token })
    assert.deepEqual(Object.keys(members.body['joined'] as object), ['@frank:one.test'])
    assert.equal((await server.call('GET', `${v3}/profile/${userId}`)).status, 404)
  })
})

describe('on a server without passwords', () => {
  test('login with a password is refused', async () => {
    const server = await testServer(undefined, { passwords: { ...testConfig.passwords, isEnabled: false } })
    const { token } = await server.register('alice')
    assert.deepEqual((await server.call('GET', `${v3}/login`)).body, { flows: [] })
    const login = await server.call('POST', `${v3}/login`, {
      body: { type: 'm.login.password', user: 'alice', password },
    })
    assert.equal(login.status, 400)
    const body = { new_password: 'x', auth: { type: 'm.login.password', user: 'alice', password } }
    const change = await server.call('POST', `${v3}/account/password`, { token, body })
    assert.deepEqual([change.status, change.body['errcode']], [403, 'M_FORBIDDEN'])
    await server.close()
  })
})
