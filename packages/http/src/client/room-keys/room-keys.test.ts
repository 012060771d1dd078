// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const base = '/_matrix/client/v3/room_keys'
const definition = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'abc', n: [1.5] } }
const keyOf = (text: string, change: object = {}) => ({
  first_message_index: 5,
  forwarded_count: 5,
  is_verified: false,
  session_data: { ciphertext: text },
  ...change,
})

describe('a backup of room keys', () => {
  let server: TestServer
  let count = 0
  before(async () => void (server = await testServer()))
  after(() => server.close())

  const newUser = async () => (await server.register(`user${++count}x`)).token
  const newBackup = async (token: string) =>
    String((await server.call('POST', `${base}/version`, { token, body: definition })).body['version'])
  const put = (token: string, path: string, body: unknown) => server.call('PUT', `${base}/${path}`, { token, body })
  const get = (token: string, path: string) => server.call('GET', `${base}/${path}`, { token })
  const remove = (token: string, path: string) => server.call('DELETE', `${base}/${path}`, { token })

  test('is created, read, changed and deleted', async () => {
    const token = await newUser()
    assert.deepEqual(await outcome(get(token, 'version')), [404, 'M_NOT_FOUND'])
    const version = await newBackup(token)
    const expected = { ...definition, version, etag: '0', count: 0 }
    assert.deepEqual((await get(token, 'version')).body, expected)
    assert.deepEqual((await get(token, `version/${version}`)).body, expected)
    const changed = { ...definition, auth_data: { public_key: 'def' } }
    assert.deepEqual((await put(token, `version/${version}`, { ...changed, version })).body, {})
    assert.deepEqual((await get(token, 'version')).body, { ...expected, ...changed })
    assert.deepEqual((await remove(token, `version/${version}`)).body, {})
    assert.deepEqual(await outcome(get(token, 'version')), [404, 'M_NOT_FOUND'])
    assert.deepEqual(await outcome(get(token, `version/${version}`)), [404, 'M_NOT_FOUND'])
    assert.deepEqual(await outcome(get(token, `keys?version=${version}`)), [404, 'M_NOT_FOUND'])
    assert.equal((await remove(token, `version/${version}`)).status, 200, 'it was deleted before')
    assert.equal(Number(await newBackup(token)), Number(version) + 1)
  })

  test('stores and returns keys all at once, by room and one by one', async () => {
    const token = await newUser()
    const version = await newBackup(token)
    const [a, b, c] = [keyOf('a'), keyOf('b'), keyOf('c')]
    const rooms = { '!one:one.test': { sessions: { a } }, '!two:one.test': { sessions: {} } }
    assert.deepEqual((await put(token, `keys?version=${version}`, { rooms })).body, { etag: '1', count: 1 })
    const more = { sessions: { b } }
    const second = await put(token, `keys/!one:one.test?version=${version}`, more)
    assert.deepEqual(second.body, { etag: '2', count: 2 })
    const third = await put(token, `keys/!two:one.test/c%2F+d?version=${version}`, c)
    assert.deepEqual(third.body, { etag: '3', count: 3 })

    const all = await get(token, `keys?version=${version}`)
    assert.equal(all.headers['content-type'], 'application/json')
    assert.deepEqual(all.body, {
      rooms: { '!one:one.test': { sessions: { a, b } }, '!two:one.test': { sessions: { 'c/+d': c } } },
    })
    assert.deepEqual((await get(token, `keys/!one:one.test?version=${version}`)).body, { sessions: { a, b } })
    assert.deepEqual((await get(token, `keys/!two:one.test/c%2F+d?version=${version}`)).body, c)
    const { body } = await get(token, 'version')
    assert.deepEqual([body['etag'], body['count']], ['3', 3])
  })

  test('without keys has no rooms, rooms without keys have no sessions, and a missing session is an error', async () => {
    const token = await newUser()
    const version = await newBackup(token)
    assert.deepEqual((await get(token, `keys?version=${version}`)).body, { rooms: {} })
    assert.deepEqual((await get(token, `keys/!a:one.test?version=${version}`)).body, { sessions: {} })
    assert.deepEqual(await outcome(get(token, `keys/!a:one.test/s?version=${version}`)), [404, 'M_NOT_FOUND'])
  })

  test('is returned completely, however large it is', async () => {
    const token = await newUser()
    const version = await newBackup(token)
    const names = Array.from({ length: 1200 }, (_, at) => `s${at}`)
    const sessionsOf = (part: readonly string[]) => Object.fromEntries(part.map((name) => [name, keyOf(name)]))
    const rooms = Object.fromEntries(
      [0, 400, 800].map((at) => [`!${at}:one.test`, { sessions: sessionsOf(names.slice(at, at + 400)) }]),
    )
    await put(token, `keys?version=${version}`, { rooms })
    assert.deepEqual((await get(token, `keys?version=${version}`)).body, { rooms })
    await put(token, `keys/!0:one.test?version=${version}`, { sessions: sessionsOf(names) })
    const { body } = await get(token, `keys/!0:one.test?version=${version}`)
    assert.deepEqual(body, { sessions: sessionsOf(names) })
  })

  test('keeps the better of two keys, and changes its ETag only with its content', async () => {
    const token = await newUser()
    const version = await newBackup(token)
    const path = `keys/!a:one.test/s?version=${version}`
    const steps = [
      [keyOf('first'), 'first', '1'],
      [keyOf('again'), 'first', '1'],
      [keyOf('less', { first_message_index: 6 }), 'first', '1'],
      [keyOf('more', { first_message_index: 4, forwarded_count: 9 }), 'more', '2'],
      [keyOf('nearer', { first_message_index: 4 }), 'nearer', '3'],
      [keyOf('verified', { first_message_index: 9, is_verified: true }), 'verified', '4'],
      [keyOf('unverified', { first_message_index: 0 }), 'verified', '4'],
    ] as const
    for (const [key, text, etag] of steps) {
      assert.deepEqual((await put(token, path, key)).body, { etag, count: 1 })
      assert.deepEqual((await get(token, path)).body['session_data'], { ciphertext: text })
    }
  })

  test('deletes keys one by one, by room and all at once', async () => {
    const token = await newUser()
    const version = await newBackup(token)
    const sessions = { a: keyOf('a'), b: keyOf('b') }
    const rooms = { '!one:one.test': { sessions }, '!two:one.test': { sessions }, '!three:one.test': { sessions } }
    await put(token, `keys?version=${version}`, { rooms })
    const steps = [
      ['keys/!one:one.test/a', '2', 5],
      ['keys/!one:one.test/a', '2', 5],
      ['keys/!two:one.test', '3', 3],
      ['keys', '4', 0],
      ['keys', '4', 0],
    ] as const
    for (const [path, etag, left] of steps) {
      assert.deepEqual((await remove(token, `${path}?version=${version}`)).body, { etag, count: left })
    }
  })

  test('is read-only once there is a newer one', async () => {
    const token = await newUser()
    const old = await newBackup(token)
    await put(token, `keys/!a:one.test/s?version=${old}`, keyOf('a'))
    const current = await newBackup(token)
    const sessions = { s: keyOf('b') }
    for (const [path, body] of [
      ['keys', { rooms: { '!a:one.test': { sessions } } }],
      ['keys/!a:one.test', { sessions }],
      ['keys/!a:one.test/s', sessions.s],
    ] as const) {
      const answer = await put(token, `${path}?version=${old}`, body)
      assert.equal(answer.status, 403)
      assert.deepEqual([answer.body['errcode'], answer.body['current_version']], ['M_WRONG_ROOM_KEYS_VERSION', current])
    }
    assert.deepEqual((await get(token, `keys/!a:one.test/s?version=${old}`)).body, keyOf('a'))
    await remove(token, `version/${current}`)
    assert.equal((await put(token, `keys/!b:one.test/s?version=${old}`, keyOf('b'))).status, 200)
  })

  test('is private to its user', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const version = await newBackup(alice)
    await put(alice, `keys/!a:one.test/s?version=${version}`, keyOf('a'))
    assert.deepEqual(await outcome(get(bob, `keys?version=${version}`)), [404, 'M_NOT_FOUND'])
    assert.deepEqual(await outcome(remove(bob, `version/${version}`)), [404, 'M_NOT_FOUND'])
    assert.deepEqual(await outcome(remove(bob, `keys?version=${version}`)), [404, 'M_NOT_FOUND'])
  })

  test('may have sessions with the names of properties of every object', async () => {
    const token = await newUser()
    const version = await newBackup(token)
    const text = JSON.stringify({ rooms: { '!__proto__:one.test': { sessions: { s: keyOf('a') } } } })
    await put(token, `keys?version=${version}`, JSON.parse(text.replace('"s":', '"__proto__":')))
    const { body } = await get(token, `keys/!__proto__:one.test?version=${version}`)
    assert.deepEqual(Object.entries(body['sessions'] as object), [['__proto__', keyOf('a')]])
  })

  const one = keyOf('a')
  const refusals = [
    ['POST', 'version', { algorithm: 'a' }, 400, 'M_MISSING_PARAM'],
    ['POST', 'version', { ...definition, algorithm: 7 }, 400, 'M_BAD_JSON'],
    ['POST', 'version', { ...definition, auth_data: [] }, 400, 'M_BAD_JSON'],
    ['GET', 'version/2', undefined, 404, 'M_NOT_FOUND'],
    ['GET', 'version/01', undefined, 404, 'M_NOT_FOUND'],
    ['GET', 'version/new%00', undefined, 404, 'M_NOT_FOUND'],
    ['PUT', 'version/2', definition, 404, 'M_NOT_FOUND'],
    ['PUT', 'version/1', { ...definition, version: '2' }, 400, 'M_INVALID_PARAM'],
    ['PUT', 'version/1', { ...definition, algorithm: 'another' }, 400, 'M_INVALID_PARAM'],
    ['PUT', 'version/1', { algorithm: definition.algorithm }, 400, 'M_MISSING_PARAM'],
    ['DELETE', 'version/2', undefined, 404, 'M_NOT_FOUND'],
    ['PUT', 'keys?version=1', {}, 400, 'M_MISSING_PARAM'],
    ['PUT', 'keys?version=1', { rooms: { a: { sessions: {} } } }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys?version=1', { rooms: { '!a:one.test': {} } }, 400, 'M_MISSING_PARAM'],
    ['PUT', 'keys?version=1', { rooms: { '!a:one.test': { sessions: { s: one, t: {} } } } }, 400, 'M_MISSING_PARAM'],
    ['PUT', 'keys?version=2', { rooms: {} }, 404, 'M_NOT_FOUND'],
    ['PUT', 'keys', { rooms: {} }, 400, 'M_MISSING_PARAM'],
    ['GET', 'keys', undefined, 400, 'M_MISSING_PARAM'],
    ['GET', 'keys?version=2', undefined, 404, 'M_NOT_FOUND'],
    ['DELETE', 'keys', undefined, 400, 'M_MISSING_PARAM'],
    ['DELETE', 'keys?version=2', undefined, 404, 'M_NOT_FOUND'],
    ['PUT', 'keys/!a:one.test?version=1', { sessions: [] }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys/!a:one.test?version=2', { sessions: {} }, 404, 'M_NOT_FOUND'],
    ['PUT', 'keys/a?version=1', { sessions: {} }, 400, 'M_INVALID_PARAM'],
    ['GET', 'keys/!a:one.test?version=2', undefined, 404, 'M_NOT_FOUND'],
    ['DELETE', 'keys/!a:one.test?version=2', undefined, 404, 'M_NOT_FOUND'],
    ['PUT', 'keys/!a:one.test/s?version=2', one, 404, 'M_NOT_FOUND'],
    ['PUT', 'keys/!a:one.test/s?version=1', { ...one, first_message_index: -1 }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys/!a:one.test/s?version=1', { ...one, first_message_index: 1e300 }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys/!a:one.test/s?version=1', { ...one, forwarded_count: '1' }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys/!a:one.test/s?version=1', { ...one, is_verified: 1 }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys/!a:one.test/s?version=1', { ...one, session_data: 'text' }, 400, 'M_BAD_JSON'],
    ['PUT', 'keys/!a:one.test/%00?version=1', one, 400, 'M_INVALID_PARAM'],
    ['GET', 'keys/!a:one.test/s?version=2', undefined, 404, 'M_NOT_FOUND'],
    ['DELETE', 'keys/!a:one.test/s?version=2', undefined, 404, 'M_NOT_FOUND'],
  ] as const
  for (const [method, path, body, status, code] of refusals) {
    test(`answers ${status} to ${method} ${path} with ${JSON.stringify(body)}, and stores nothing`, async () => {
      const token = await newUser()
      await newBackup(token)
      const answer = server.call(method, `${base}/${path}`, { token, ...(body === undefined ? {} : { body }) })
      assert.deepEqual(await outcome(answer), [status, code])
      assert.deepEqual((await get(token, 'version')).body, { ...definition, version: '1', etag: '0', count: 0 })
    })
  }

  test('needs a token', async () => {
    for (const path of ['version', 'version/1', 'keys', 'keys/!a:one.test', 'keys/!a:one.test/s']) {
      assert.deepEqual(await outcome(server.call('GET', `${base}/${path}`)), [401, 'M_MISSING_TOKEN'])
    }
  })
})

async function outcome(answer: ReturnType<TestServer['call']>): Promise<unknown[]> {
  const { status, body } = await answer
  return [status, body['errcode']]
}
