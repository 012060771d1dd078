// SPDX-License-Identifier: Apache-2.0
import { testConfig } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
const password = 'correct horse'

describe('a session', () => {
  let server: TestServer
  before(async () => {
    server = await testServer()
    await server.register('alice')
  })
  after(() => server.close())

  const identifier = { type: 'm.id.user', user: 'alice' }
  const login = (more: object = {}) =>
    server.call('POST', `${v3}/login`, { body: { type: 'm.login.password', identifier, password, ...more } })
  const whoami = (token: unknown) => server.call('GET', `${v3}/account/whoami`, { token: String(token) })

  test('starts with a supported login type', async () => {
    const { body } = await server.call('GET', `${v3}/login`)
    assert.deepEqual(body['flows'], [{ type: 'm.login.password' }])
    const session = await login({ device_id: 'ONE' })
    assert.equal(session.status, 200)
    assert.deepEqual(session.body['well_known'], { 'm.homeserver': { base_url: 'https://one.test/' } })
    assert.equal((await whoami(session.body['access_token'])).body['device_id'], 'ONE')
  })

  const names = [
    ['a localpart', { identifier }],
    ['a localpart in the wrong case', { identifier: { type: 'm.id.user', user: 'ALICE' } }],
    ['a whole user id', { identifier: { type: 'm.id.user', user: '@alice:one.test' } }],
    ['the deprecated member', { identifier: undefined, user: 'alice' }],
  ] as const
  for (const [name, proof] of names) {
    test(`starts with ${name}`, async () => {
      assert.equal((await login(proof)).body['user_id'], '@alice:one.test')
    })
  }

  const refusals = [
    ['a wrong password', { password: 'wrong' }, 403, 'M_FORBIDDEN'],
    ['an unknown name', { identifier: { type: 'm.id.user', user: 'nobody' } }, 403, 'M_FORBIDDEN'],
    ['a user of another server', { identifier: { type: 'm.id.user', user: '@alice:two.test' } }, 403, 'M_FORBIDDEN'],
    ['a name no user can have', { identifier: { type: 'm.id.user', user: 'a\0b' } }, 403, 'M_FORBIDDEN'],
    ['an address', { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'a@b' } }, 403, 'M_FORBIDDEN'],
    ['an unknown identifier', { identifier: { type: 'm.id.shoe' } }, 400, 'M_UNKNOWN'],
    ['an unknown way', { type: 'm.login.telepathy' }, 400, 'M_UNKNOWN'],
    ['no way', { type: undefined }, 400, 'M_MISSING_PARAM'],
    ['no name', { identifier: undefined }, 400, 'M_MISSING_PARAM'],
    ['no password', { password: undefined }, 400, 'M_MISSING_PARAM'],
    ['a password that is not text', { password: 7 }, 400, 'M_BAD_JSON'],
    ['an empty device id', { device_id: '' }, 400, 'M_BAD_JSON'],
  ] as const
  for (const [name, request, status, code] of refusals) {
    test(`does not start with ${name}`, async () => {
      const answer = await login(request)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }

  test('ends when another one reuses its device', async () => {
    const old = await login({ device_id: 'SHARED' })
    const young = await login({ device_id: 'SHARED' })
    const refused = await whoami(old.body['access_token'])
    assert.deepEqual(
      [refused.status, refused.body['errcode'], refused.body['soft_logout']],
      [401, 'M_UNKNOWN_TOKEN', false],
    )
    assert.equal((await whoami(young.body['access_token'])).status, 200)
  })

  test('ends with a logout, and no other does', async () => {
    const [one, two] = [await login(), await login()]
    const token = String(one.body['access_token'])
    assert.deepEqual((await server.call('POST', `${v3}/logout`, { token })).body, {})
    assert.equal((await whoami(token)).status, 401)
    assert.equal((await whoami(two.body['access_token'])).status, 200)
  })

  test('ends with all others at a logout from all devices', async () => {
    const { token } = await server.register('bob')
    const other = await login({ identifier: { type: 'm.id.user', user: 'bob' } })
    await server.call('POST', `${v3}/logout/all`, { token, body: {} })
    assert.equal((await whoami(token)).status, 401)
    assert.equal((await whoami(other.body['access_token'])).status, 401)
  })
})

describe('refreshing', () => {
  let server: TestServer
  before(async () => {
    server = await testServer()
    await server.register('alice')
  })
  after(() => server.close())

  type Pair = Record<string, unknown>
  const start = async (): Promise<Pair> => {
    const body = { type: 'm.login.password', user: 'alice', password, refresh_token: true }
    return (await server.call('POST', `${v3}/login`, { body })).body
  }
  const refresh = ({ refresh_token }: Pair) => server.call('POST', `${v3}/refresh`, { body: { refresh_token } })
  const works = async ({ access_token }: Pair) =>
    (await server.call('GET', `${v3}/account/whoami`, { token: String(access_token) })).status === 200

  test('returns a new pair of tokens, and the old one works until the new one is used', async () => {
    const old = await start()
    const young = (await refresh(old)).body
    assert.ok(await works(old))
    assert.ok(await works(young))
    assert.ok(!(await works(old)))
    const late = await refresh(old)
    assert.deepEqual([late.status, late.body['errcode'], late.body['soft_logout']], [401, 'M_UNKNOWN_TOKEN', true])
  })

  test('can be repeated after a lost reply, which invalidates the lost pair', async () => {
    const old = await start()
    const lost = (await refresh(old)).body
    const found = (await refresh(old)).body
    assert.ok(!(await works(lost)))
    assert.equal((await refresh(lost)).status, 401)
    assert.ok(await works(found))
  })

  test('invalidates the pair before the last', async () => {
    const first = await start()
    const second = (await refresh(first)).body
    const third = (await refresh(second)).body
    assert.equal((await refresh(first)).status, 401)
    assert.ok(await works(second))
    assert.ok(await works(third))
    assert.ok(!(await works(second)))
  })

  test('is possible with an expired access token', async () => {
    const old = await start()
    server.rt.clock.advance(300_000)
    const { body } = await server.call('GET', `${v3}/account/whoami`, { token: String(old['access_token']) })
    assert.deepEqual([body['errcode'], body['soft_logout']], ['M_UNKNOWN_TOKEN', true])
    assert.ok(await works((await refresh(old)).body))
  })

  test('needs a refresh token', async () => {
    assert.equal((await refresh({})).body['errcode'], 'M_MISSING_PARAM')
    assert.equal((await refresh(await start().then((pair) => ({ refresh_token: pair['access_token'] })))).status, 401)
  })
})

describe('a session of limited length', () => {
  test('ends at its limit, however often it is refreshed', async () => {
    const sessions = { ...testConfig.sessions, sessionMs: 400_000 }
    const server = await testServer(undefined, { sessions })
    await server.register('alice')
    const body = { type: 'm.login.password', user: 'alice', password, refresh_token: true }
    const old = (await server.call('POST', `${v3}/login`, { body })).body
    server.rt.clock.advance(300_000)
    const young = (await server.call('POST', `${v3}/refresh`, { body: old })).body
    assert.equal(young['expires_in_ms'], 100_000)
    server.rt.clock.advance(100_000)
    assert.equal((await server.call('POST', `${v3}/refresh`, { body: young })).status, 401)
    await server.close()
  })
})

describe('guessing passwords', () => {
  test('is limited per account, even for the right password', async () => {
    const login = { ...testConfig.rateLimits.login, failedAttempts: { perSecond: 0.001, burstCount: 2 } }
    const server = await testServer(undefined, { rateLimits: { ...testConfig.rateLimits, login } })
    await server.register('alice')
    const guess = async (password: string) =>
      (await server.call('POST', `${v3}/login`, { body: { type: 'm.login.password', user: 'alice', password } })).status
    assert.deepEqual([await guess('a'), await guess('b'), await guess(password)], [403, 403, 429])
    server.rt.clock.advance(1_000_000)
    assert.equal(await guess(password), 200)
    await server.close()
  })
})
