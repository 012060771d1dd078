// SPDX-License-Identifier: Apache-2.0
import { onEveryDatabase } from '@myelin/testing/databases'
import type { OpenDatabase } from '@myelin/testing/databases'
import { testConfig } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'

const register = '/_matrix/client/v3/register'
const validity = '/_matrix/client/v1/register/m.login.registration_token/validity'
const tokens = '/_synapse/admin/v1/registration_tokens'
const password = 'correct horse'
const DAY_MS = 24 * 3_600_000

/** Starts a server whose registration requires a token, and returns ways to call it. */
async function serverWithTokens(open?: OpenDatabase, limits: Partial<typeof testConfig.rateLimits> = {}) {
  const server = await testServer(open, {
    registration: { ...testConfig.registration, requiresToken: true },
    rateLimits: { ...testConfig.rateLimits, ...limits },
  })
  const bySecret = async (username: string, role: 'admin' | 'notadmin') => {
    const path = '/_synapse/admin/v1/register'
    const nonce = String((await server.call('GET', path)).body['nonce'])
    const mac = createHmac('sha1', 'shared secret').update([nonce, username, 'pw', role].join('\0')).digest('hex')
    const body = { nonce, username, password: 'pw', admin: role === 'admin', mac }
    return String((await server.call('POST', path, { body })).body['access_token'])
  }
  const token = await bySecret('root', 'admin')
  const admin = (method: string, path: string, body?: object) =>
    server.call(method, `${tokens}${path}`, { token, ...(body && { body }) })
  const create = (body: object) => admin('POST', '/new', body)
  const post = (body: object) => server.call('POST', register, { body })
  /** Shows a token in a session; returns the session and the answer. */
  const show = async (word: unknown, username?: string) => {
    const answer = await post({ password, username, auth: { type: 'm.login.registration_token', token: word } })
    return { ...answer, session: answer.body['session'] }
  }
  const finish = (session: unknown, more: object = {}) =>
    post({ ...more, password, auth: { type: 'm.login.dummy', session } })
  const isValid = async (word: string) => {
    return (await server.call('GET', `${validity}?token=${encodeURIComponent(word)}`)).body['valid']
  }
  const counts = async (word: string) => {
    const { body } = await admin('GET', `/${word}`)
    return [body['pending'], body['completed']]
  }
  return { server, bySecret, admin, create, post, show, finish, isValid, counts }
}

onEveryDatabase('a registration token', (open) => {
  test('registers as many accounts as it allows, and is pending in between', async () => {
    const { server, create, show, finish, isValid, counts } = await serverWithTokens(open)
    await create({ token: 'abcd', uses_allowed: 1 })
    assert.equal(await isValid('abcd'), true)
    const first = await show('abcd', 'alice')
    assert.deepEqual(
      [first.status, first.body['completed'], first.body['flows']],
      [401, ['m.login.registration_token'], [{ stages: ['m.login.registration_token', 'm.login.dummy'] }]],
    )
    assert.deepEqual([await isValid('abcd'), await counts('abcd')], [false, [1, 0]])
    const second = await show('abcd', 'bob')
    assert.deepEqual(
      [second.status, second.body['errcode'], second.body['completed']],
      [401, 'M_UNAUTHORIZED', undefined],
    )
    assert.equal((await finish(second.session)).status, 401)
    const made = await finish(first.session)
    assert.deepEqual([made.status, made.body['user_id']], [200, '@alice:one.test'])
    assert.deepEqual([await isValid('abcd'), await counts('abcd')], [false, [0, 1]])
    // The lost answer is repeated and counts once.
    assert.equal((await finish(first.session)).status, 200)
    assert.deepEqual(await counts('abcd'), [0, 1])
    await server.close()
  })

  test('is given to one of many sessions at once', async () => {
    const { server, create, show, counts } = await serverWithTokens(open)
    await create({ token: 'abcd', uses_allowed: 2 })
    const answers = await Promise.all(Array.from({ length: 6 }, () => show('abcd')))
    assert.equal(answers.filter(({ body }) => body['completed']).length, 2)
    assert.deepEqual(await counts('abcd'), [2, 0])
    await server.close()
  })

  test('is free again when the session that used it expires', async () => {
    const { server, create, show, finish, isValid, counts } = await serverWithTokens(open)
    await create({ token: 'abcd', uses_allowed: 1 })
    const { session } = await show('abcd')
    server.rt.clock.jump(DAY_MS)
    assert.deepEqual([await isValid('abcd'), await counts('abcd')], [true, [0, 0]])
    assert.equal((await finish(session)).status, 400)
    const again = await show('abcd')
    assert.equal((await finish(again.session)).status, 200)
    assert.deepEqual(await counts('abcd'), [0, 1])
    await server.close()
  })

  test('counts only accounts that were made', async () => {
    const { server, bySecret, create, show, finish, counts } = await serverWithTokens(open)
    await create({ token: 'abcd' })
    const { session } = await show('abcd', 'carol')
    await bySecret('carol', 'notadmin')
    assert.equal((await finish(session)).body['errcode'], 'M_USER_IN_USE')
    assert.deepEqual(await counts('abcd'), [1, 0])
    assert.equal((await finish(session, { username: 'dora' })).body['user_id'], '@dora:one.test')
    assert.deepEqual(await counts('abcd'), [0, 1])
    await server.close()
  })

  test('expires, is changed and is deleted', async () => {
    const { server, admin, create, show, finish, isValid } = await serverWithTokens(open)
    const expiry = server.rt.clock.now() + 1000
    const made = { token: 'a.b_c~d-', uses_allowed: 3, pending: 0, completed: 0, expiry_time: expiry }
    const created = await create({ token: 'a.b_c~d-', uses_allowed: 3, expiry_time: expiry })
    assert.deepEqual([created.status, created.body], [200, made])
    server.rt.clock.jump(1001)
    assert.equal(await isValid('a.b_c~d-'), false)
    assert.equal((await show('a.b_c~d-')).body['errcode'], 'M_UNAUTHORIZED')
    const changed = await admin('PUT', '/a.b_c~d-', { expiry_time: null })
    assert.deepEqual(changed.body, { ...made, expiry_time: null })
    assert.deepEqual((await admin('PUT', '/a.b_c~d-', {})).body, changed.body)
    const { session } = await show('a.b_c~d-')
    assert.deepEqual((await admin('DELETE', '/a.b_c~d-')).body, {})
    assert.equal(await isValid('a.b_c~d-'), false)
    assert.equal((await finish(session)).status, 200)
    for (const [method, body] of [['GET'], ['PUT', {}], ['DELETE']] as const) {
      assert.equal((await admin(method, '/a.b_c~d-', body)).body['errcode'], 'M_NOT_FOUND')
    }
    await server.close()
  })

  test('is listed by whether it is valid', async () => {
    const { server, admin, create } = await serverWithTokens(open)
    await create({ token: 'spent', uses_allowed: 0 })
    await create({ token: 'free' })
    const drawn = String((await create({ length: 20 })).body['token'])
    assert.match(drawn, /^\w{20}$/)
    assert.match(String((await create({})).body['token']), /^\w{16}$/)
    const listed = async (query: string) => {
      const list = (await admin('GET', query)).body['registration_tokens'] as { token: string }[]
      return list.map(({ token }) => token)
    }
    const all = await listed('')
    assert.equal(all.length, 4)
    assert.deepEqual(await listed('?valid=false'), ['spent'])
    assert.deepEqual(
      await listed('?valid=true'),
      all.filter((token) => token !== 'spent'),
    )
    await server.close()
  })
})

test('bad requests for registration tokens are refused and change nothing', async () => {
  const { server, bySecret, admin, create } = await serverWithTokens()
  await create({ token: 'abcd', uses_allowed: 5 })
  const wrong = [
    { token: '' },
    { token: 'a/b' },
    { token: 'a\0b' },
    { token: 'a'.repeat(65) },
    { token: 7 },
    { token: 'abcd' },
    { length: 0 },
    { length: 65 },
    { length: '9' },
    { uses_allowed: -1 },
    { uses_allowed: 1.5 },
    { uses_allowed: '1' },
    { expiry_time: 'soon' },
    { expiry_time: 1 },
  ]
  for (const body of wrong) {
    const answer = await create(body)
    assert.deepEqual([answer.status, answer.body['errcode']], [400, 'M_INVALID_PARAM'], JSON.stringify(body))
  }
  for (const body of [{ uses_allowed: -1 }, { expiry_time: 1 }]) {
    assert.equal((await admin('PUT', '/abcd', body)).body['errcode'], 'M_INVALID_PARAM')
  }
  assert.equal((await admin('GET', '/%00')).body['errcode'], 'M_NOT_FOUND')
  const { body } = await admin('GET', '')
  const kept = { token: 'abcd', uses_allowed: 5, pending: 0, completed: 0, expiry_time: null }
  assert.deepEqual(body['registration_tokens'], [kept])
  const token = await bySecret('user', 'notadmin')
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/new'],
    ['GET', '/abcd'],
    ['PUT', '/abcd'],
    ['DELETE', '/abcd'],
  ] as const) {
    const refused = await server.call(method, `${tokens}${path}`, { token, body: {} })
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'], `${method} ${path}`)
  }
  await server.close()
})

test('registration that requires a token takes no other way', async () => {
  const { server, post, show, isValid } = await serverWithTokens()
  const skipped = await post({ username: 'eve', password, auth: { type: 'm.login.dummy' } })
  assert.deepEqual([skipped.status, skipped.body['errcode']], [401, 'M_FORBIDDEN'])
  assert.equal((await show(undefined)).body['errcode'], 'M_MISSING_PARAM')
  for (const word of ['', 'nope', 'a\0b', 'a'.repeat(10_000)]) {
    assert.equal((await show(word)).body['errcode'], 'M_UNAUTHORIZED')
    if (word.length < 1000) assert.equal(await isValid(word), false)
  }
  await server.close()
})

test('guesses of registration tokens are limited per address, at registration and at the check', async () => {
  const registrationTokens = { perSecond: 0.001, burstCount: 2 }
  const { server, create, show } = await serverWithTokens(undefined, { registrationTokens })
  await create({ token: 'abcd' })
  // A right token costs nothing.
  for (const word of ['abcd', 'abcd', 'abcd', 'no', 'nope']) assert.equal((await show(word)).status, 401)
  assert.deepEqual((await show('abcd')).body['errcode'], 'M_LIMIT_EXCEEDED')
  assert.equal((await server.call('GET', `${validity}?token=abcd`)).status, 429)
  server.rt.clock.jump(2_000_000)
  assert.equal((await server.call('GET', `${validity}?token=abcd`)).status, 200)
  await server.close()
})

test('registration tokens cannot be checked while registration is closed', async () => {
  const server = await testServer(undefined, { registration: { ...testConfig.registration, isEnabled: false } })
  const { status, body } = await server.call('GET', `${validity}?token=abcd`)
  assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
  assert.equal((await server.call('GET', validity)).body['errcode'], 'M_MISSING_PARAM')
  await server.close()
})
