// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { putPasswordHash } from '@myelin/storage/accounts/accounts'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import { testConfig } from '@myelin/testing/runtime'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const path = '/_matrix/client/v3/register'
const dummy = { type: 'm.login.dummy' }
const password = 'correct horse'

onEveryDatabase('a registration whose answer was lost', (open) => {
  const named = { username: 'alice', password, device_id: 'PHONE' }
  /** Registers, and returns a way to send the last request again. */
  const stage = async (first: object = named, limits: Partial<typeof testConfig.rateLimits> = {}) => {
    const server = await testServer(open, { rateLimits: { ...testConfig.rateLimits, ...limits } })
    const post = (body: object) => server.call('POST', path, { body })
    const { session } = (await post(first)).body
    const again = (more: object = { password }) => post({ ...more, auth: { ...dummy, session } })
    const made = await again(first)
    assert.equal(made.status, 200)
    const refused = async (more?: object) => {
      const { status, body } = await again(more)
      assert.deepEqual([status, body['errcode'], body['error']], [400, 'M_UNKNOWN', 'unknown session'])
    }
    return { server, made: made.body, again, refused }
  }

  test('is answered again with the same account and device', async () => {
    const once = { registration: { perSecond: 0.0001, burstCount: 1 } }
    const { server, made, again } = await stage(named, once)
    for (const more of [{ password }, named]) {
      const { status, body } = await again(more)
      assert.deepEqual([status, body['user_id'], body['device_id']], [200, '@alice:one.test', 'PHONE'])
      const token = String(body['access_token'])
      assert.notEqual(token, made['access_token'])
      const { body: devices } = await server.call('GET', '/_matrix/client/v3/devices', { token })
      assert.equal((devices['devices'] as unknown[]).length, 1)
    }
    await server.close()
  })

  test('that generated a name is answered with that name, and one without a device without one', async () => {
    const { server, made, again } = await stage({ password, inhibit_login: true })
    assert.deepEqual((await again()).body, made)
    await server.close()
  })

  test('is not answered without the password, and guesses are counted', async () => {
    const failedAttempts = { perSecond: 0.0001, burstCount: 3 }
    const { server, again, refused } = await stage(named, { login: { ...testConfig.rateLimits.login, failedAttempts } })
    for (const more of [{}, { password: 'wrong' }, { ...named, password: 'wrong' }]) await refused(more)
    assert.equal((await again()).body['errcode'], 'M_LIMIT_EXCEEDED')
    await server.close()
  })

  test('is not answered once the password has changed, or the device is gone, or a day later', async () => {
    const { server, made, again, refused } = await stage()
    const token = String((await again()).body['access_token'])
    await server.rt.db.write((tx) => putPasswordHash(tx, made['user_id'] as UserId, 'another'))
    await refused()
    const other = await stage({ ...named, username: 'bob' })
    await other.server.call('POST', '/_matrix/client/v3/logout', { token: String(other.made['access_token']) })
    await other.refused()
    const late = await stage({ ...named, username: 'carol' })
    late.server.rt.clock.jump(24 * 3_600_000)
    await late.refused()
    assert.notEqual(token, made['access_token'])
    for (const each of [server, other.server, late.server]) await each.close()
  })

  test('makes one account, however often it is sent at once', async () => {
    const server = await testServer(open)
    const { session } = (await server.call('POST', path, { body: { password } })).body
    const body = { password, auth: { ...dummy, session } }
    const answers = await Promise.all(Array.from({ length: 4 }, () => server.call('POST', path, { body })))
    const names = answers.flatMap((answer) => (answer.status === 200 ? [answer.body['user_id']] : []))
    assert.equal(new Set(names).size, 1)
    await server.close()
  })
})

describe('registering', () => {
  let server: TestServer
  before(async () => void (server = await testServer()))
  after(() => server.close())
  const register = (body: unknown, query = '') => server.call('POST', `${path}${query}`, { body })

  test('creates an account with a session, with the name in lower case', async () => {
    const { status, body } = await register({ username: 'Alice', password, device_id: 'PHONE', auth: dummy })
    assert.equal(status, 200)
    assert.deepEqual(
      [body['user_id'], body['device_id'], body['home_server']],
      ['@alice:one.test', 'PHONE', 'one.test'],
    )
    const token = String(body['access_token'])
    const whoami = await server.call('GET', '/_matrix/client/v3/account/whoami', { token })
    assert.deepEqual(whoami.body, { user_id: '@alice:one.test', device_id: 'PHONE', is_guest: false })
  })

  test('asks for authentication first, and keeps the parameters between the requests', async () => {
    const first = await register({ username: 'bob', password, device_id: 'LAPTOP' })
    assert.equal(first.status, 401)
    assert.deepEqual(first.body['flows'], [{ stages: ['m.login.dummy'] }])
    const { session } = first.body
    const wrong = await register({ auth: { type: 'm.login.password', session, user: 'bob', password } })
    assert.deepEqual([wrong.status, wrong.body['errcode'], wrong.body['session']], [401, 'M_FORBIDDEN', session])
    const second = await register({ auth: { ...dummy, session } })
    assert.deepEqual(
      [second.status, second.body['user_id'], second.body['device_id']],
      [200, '@bob:one.test', 'LAPTOP'],
    )
    const again = await register({ auth: { ...dummy, session } })
    assert.deepEqual([again.status, again.body['errcode']], [400, 'M_UNKNOWN'])
  })

  test('takes parameters of a later request where the first had none', async () => {
    const { session } = (await register({})).body
    const done = await register({ username: 'carol', password, inhibit_login: true, auth: { ...dummy, session } })
    assert.deepEqual(done.body, { user_id: '@carol:one.test', home_server: 'one.test' })
  })

  test('does not accept a hash as a password', async () => {
    const { session } = (await register({ username: 'mallory', password_hash: 'stolen' })).body
    const done = await register({ auth: { ...dummy, session } })
    assert.deepEqual([done.status, done.body['errcode']], [400, 'M_MISSING_PARAM'])
  })

  test('returns a refresh token on request, and generates a name where none is given', async () => {
    const { body } = await register({ password, refresh_token: true, auth: dummy })
    assert.match(String(body['user_id']), /^@[a-z0-9]{12}:one\.test$/)
    assert.equal(body['expires_in_ms'], 300_000)
    assert.equal(typeof body['refresh_token'], 'string')
  })

  test('sets the display name', async () => {
    const { userId } = await server.register('dora')
    assert.deepEqual({ ...(await profileOf(server.rt.db.read, userId as UserId)) }, { displayname: 'dora' })
  })

  const refusals = [
    ['a name that is taken, before authentication', { username: 'taken', password }, '', 400, 'M_USER_IN_USE'],
    ['a name with spaces', { username: 'not a name', password }, '', 400, 'M_INVALID_USERNAME'],
    ['no letters at all', { username: '', password }, '', 400, 'M_INVALID_USERNAME'],
    ['a number, which guests have', { username: '12345', password }, '', 400, 'M_INVALID_USERNAME'],
    ['a leading underscore', { username: '_bot', password }, '', 400, 'M_INVALID_USERNAME'],
    ['a name that is too long', { username: 'a'.repeat(250), password }, '', 400, 'M_INVALID_USERNAME'],
    ['a password that is too long', { username: 'eve', password: 'x'.repeat(513) }, '', 400, 'M_INVALID_PARAM'],
    ['a device id with a null byte', { username: 'eve', password, device_id: 'a\0' }, '', 400, 'M_BAD_JSON'],
    ['a name that is not text', { username: 7, password }, '', 400, 'M_BAD_JSON'],
    ['no password in the end', { username: 'eve', auth: dummy }, '', 400, 'M_MISSING_PARAM'],
    ['a kind there is not', {}, '?kind=robot', 400, 'M_INVALID_PARAM'],
    ['something that is not JSON', 'nonsense', '', 400, 'M_NOT_JSON'],
    ['an unknown session', { auth: { ...dummy, session: 'x'.repeat(24) } }, '', 400, 'M_UNKNOWN'],
  ] as const
  for (const [name, body, query, status, code] of refusals) {
    test(`refuses ${name}`, async () => {
      if (name.includes('taken')) await server.register('taken')
      const answer = await register(body, query)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }

  test('has an endpoint for whether a name is free', async () => {
    const ask = (username: string) => server.call('GET', `${path}/available?username=${username}`)
    await server.register('gone')
    assert.deepEqual((await ask('free')).body, { available: true })
    assert.equal((await ask('GONE')).body['errcode'], 'M_USER_IN_USE')
    assert.equal((await ask('a%20b')).body['errcode'], 'M_INVALID_USERNAME')
    assert.equal((await server.call('GET', `${path}/available`)).body['errcode'], 'M_MISSING_PARAM')
  })
})

describe('registering where the admin has', () => {
  const cases = [
    [
      'closed registration is forbidden',
      { registration: { ...testConfig.registration, isEnabled: false } },
      [403, 'M_FORBIDDEN'],
    ],
    [
      'asked for a password policy refuses weak ones',
      {
        passwords: {
          isEnabled: true,
          policy: { ...testConfig.passwords.policy, isEnabled: true, requiresDigit: true },
        },
      },
      [400, 'M_WEAK_PASSWORD'],
    ],
    [
      'limited it answers 429',
      { rateLimits: { ...testConfig.rateLimits, registration: { perSecond: 0.001, burstCount: 1 } } },
      [429, 'M_LIMIT_EXCEEDED'],
    ],
  ] as const
  for (const [name, config, expected] of cases) {
    test(name, async () => {
      const server = await testServer(undefined, config)
      if (expected[0] === 429) await server.register('first')
      const { status, body } = await server.call('POST', path, { body: { username: 'a', password, auth: dummy } })
      assert.deepEqual([status, body['errcode']], expected)
      await server.close()
    })
  }
})
