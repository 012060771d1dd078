// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
const v1 = '/_matrix/client/v1/admin'

describe('an admin', () => {
  let server: TestServer
  const tokens = new Map<string, string>()
  before(async () => {
    server = await testServer()
    for (const name of ['alice', 'gone']) tokens.set(name, (await server.register(name)).token)
    for (const name of ['root', 'toor']) tokens.set(name, await registerAdmin(server, name))
    const auth = { type: 'm.login.password', user: 'gone', password: 'correct horse' }
    await server.call('POST', `${v3}/account/deactivate`, { token: tokens.get('gone') ?? '', body: { auth } })
  })
  after(() => server.close())
  const call = (as: string, method: string, path: string, body?: object) =>
    server.call(method, path, { token: tokens.get(as) ?? '', ...(body ? { body } : {}) })

  test('locks an account: its tokens and password allow logout only', async () => {
    const { token } = await server.register('bob')
    const locked = await call('root', 'PUT', `${v1}/lock/@bob:one.test`, { locked: true })
    assert.deepEqual([locked.status, locked.body], [200, { locked: true }])
    assert.deepEqual((await call('root', 'GET', `${v1}/lock/@bob:one.test`)).body, { locked: true })
    const refused = await server.call('GET', `${v3}/account/whoami`, { token })
    assert.deepEqual(
      [refused.status, refused.body['errcode'], refused.body['soft_logout']],
      [401, 'M_USER_LOCKED', true],
    )
    const body = { type: 'm.login.password', user: 'bob', password: 'correct horse' }
    assert.equal((await server.call('POST', `${v3}/login`, { body })).body['errcode'], 'M_USER_LOCKED')
    assert.equal((await server.call('POST', `${v3}/logout`, { token })).status, 200)
    await call('root', 'PUT', `${v1}/lock/@bob:one.test`, { locked: false })
    assert.equal((await server.call('POST', `${v3}/login`, { body })).status, 200)
  })

  test('locks refresh tokens too', async () => {
    await server.register('carol')
    const body = { type: 'm.login.password', user: 'carol', password: 'correct horse', refresh_token: true }
    const pair = (await server.call('POST', `${v3}/login`, { body })).body
    await call('root', 'PUT', `${v1}/lock/@carol:one.test`, { locked: true })
    const answer = await server.call('POST', `${v3}/refresh`, { body: { refresh_token: pair['refresh_token'] } })
    assert.deepEqual([answer.status, answer.body['errcode']], [401, 'M_USER_LOCKED'])
  })

  test('suspends an account', async () => {
    assert.deepEqual((await call('root', 'GET', `${v1}/suspend/@alice:one.test`)).body, { suspended: false })
    const put = await call('root', 'PUT', `${v1}/suspend/@alice:one.test`, { suspended: true })
    assert.deepEqual([put.status, put.body], [200, { suspended: true }])
    assert.deepEqual((await call('root', 'GET', `${v1}/suspend/@alice:one.test`)).body, { suspended: true })
    await call('root', 'PUT', `${v1}/suspend/@alice:one.test`, { suspended: false })
  })

  test('sees the connections of all users; others see their own', async () => {
    const path = `${v3}/admin/whois/@dave:one.test`
    const { token } = await server.register('dave')
    const unseen = { user_id: '@dave:one.test', devices: { '': { sessions: [{ connections: [] }] } } }
    assert.deepEqual((await call('root', 'GET', path)).body, unseen)
    const [first, second] = [server.rt.clock.now(), server.rt.clock.now() + 1000]
    await server.call('GET', `${v3}/account/whoami`, { token, headers: { 'user-agent': 'a phone' } })
    server.rt.clock.advance(1000)
    const login = { type: 'm.login.password', user: 'dave', password: 'correct horse' }
    const other = String((await server.call('POST', `${v3}/login`, { body: login })).body['access_token'])
    await server.call('GET', `${v3}/account/whoami`, { token: other, headers: { 'user-agent': 'a laptop' } })
    // Reads see what is on disk; a write that comes after those in the background is on disk after them.
    await server.rt.db.write(async () => {})
    const connections = [
      { ip: '127.0.0.1', last_seen: second, user_agent: 'a laptop' },
      { ip: '127.0.0.1', last_seen: first, user_agent: 'a phone' },
    ]
    const seen = { user_id: '@dave:one.test', devices: { '': { sessions: [{ connections }] } } }
    for (const answer of [await server.call('GET', path, { token }), await call('root', 'GET', path)]) {
      assert.deepEqual([answer.status, answer.body], [200, seen])
    }
  })

  const refusals = [
    ['a requester without admin rights', 'alice', 'GET', `${v1}/lock/@nobody:one.test`, undefined, 403, 'M_FORBIDDEN'],
    ['a user of another server', 'root', 'GET', `${v1}/lock/@alice:two.test`, undefined, 400, 'M_INVALID_PARAM'],
    ['an unknown user', 'root', 'GET', `${v1}/suspend/@nobody:one.test`, undefined, 404, 'M_NOT_FOUND'],
    ['an impossible user', 'root', 'GET', `${v1}/suspend/@a%00b:one.test`, undefined, 404, 'M_NOT_FOUND'],
    ['a deactivated user', 'root', 'GET', `${v1}/lock/@gone:one.test`, undefined, 404, 'M_NOT_FOUND'],
    ['oneself', 'root', 'PUT', `${v1}/lock/@root:one.test`, { locked: true }, 403, 'M_FORBIDDEN'],
    ['another admin', 'root', 'PUT', `${v1}/suspend/@toor:one.test`, { suspended: true }, 403, 'M_FORBIDDEN'],
    ['a word that is not a flag', 'root', 'PUT', `${v1}/lock/@alice:one.test`, { locked: 'yes' }, 400, 'M_BAD_JSON'],
    ['a look at others', 'alice', 'GET', `${v3}/admin/whois/@root:one.test`, undefined, 403, 'M_FORBIDDEN'],
    ['a look abroad', 'root', 'GET', `${v3}/admin/whois/@alice:two.test`, undefined, 400, 'M_INVALID_PARAM'],
    [
      'the connections of an unknown user',
      'root',
      'GET',
      `${v3}/admin/whois/@nobody:one.test`,
      undefined,
      404,
      'M_NOT_FOUND',
    ],
  ] as const
  for (const [name, as, method, path, body, status, code] of refusals) {
    test(`is refused ${name}`, async () => {
      const answer = await call(as, method, path, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }
})

async function registerAdmin(server: TestServer, username: string): Promise<string> {
  const path = '/_synapse/admin/v1/register'
  const nonce = String((await server.call('GET', path)).body['nonce'])
  const mac = createHmac('sha1', 'shared secret').update([nonce, username, 'pw', 'admin'].join('\0')).digest('hex')
  const { body } = await server.call('POST', path, { body: { nonce, username, password: 'pw', admin: true, mac } })
  return String(body['access_token'])
}
