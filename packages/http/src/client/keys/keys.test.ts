// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
type User = Awaited<ReturnType<TestServer['register']>>

/** A body as it is written, whatever names stand in it. */
const json = (text: string) => JSON.parse(text) as Record<string, unknown>
const signed = (key: string) => ({ key, signatures: {} })
const deviceKeysOf = ({ userId, deviceId }: User, extra: object = {}) => ({
  user_id: userId,
  device_id: deviceId,
  algorithms: ['m.olm.v1.curve25519-aes-sha2'],
  keys: { [`ed25519:${deviceId}`]: 'key' },
  signatures: { [userId]: { [`ed25519:${deviceId}`]: 'signature' } },
  ...extra,
})

describe('keys', () => {
  let server: TestServer
  let count = 0
  before(async () => void (server = await testServer()))
  after(() => server.close())
  const newUser = () => server.register(`user${++count}x`)
  const upload = ({ token }: User, body: unknown) => server.call('POST', `${v3}/keys/upload`, { token, body })
  const query = ({ token }: User, asked: unknown) =>
    server.call('POST', `${v3}/keys/query`, { token, body: { device_keys: asked } })
  const claim = ({ token }: User, options: unknown) =>
    server.call('POST', `${v3}/keys/claim`, { token, body: { one_time_keys: options } })
  const sync = async ({ token }: User, since = '') =>
    (await server.call('GET', `${v3}/sync${since && `?since=${since}`}`, { token })).body

  test('of a device are returned as they were uploaded, with its name', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const keys = deviceKeysOf(alice, { unsigned: { device_display_name: 'forged' }, 'org.example.more': [1] })
    const answer = await upload(alice, { device_keys: keys })
    assert.deepEqual([answer.status, answer.body], [200, { one_time_key_counts: { signed_curve25519: 0 } }])
    const name = { display_name: 'a phone' }
    const named = await server.call('PUT', `${v3}/devices/${alice.deviceId}`, { token: alice.token, body: name })
    assert.equal(named.status, 200)
    const { body } = await query(bob, { [alice.userId]: [] })
    const expected = { ...keys, unsigned: { device_display_name: 'a phone' } }
    assert.deepEqual(body, {
      device_keys: { [alice.userId]: { [alice.deviceId]: expected } },
      master_keys: {},
      self_signing_keys: {},
      user_signing_keys: {},
      failures: {},
    })
    const some = (await query(bob, { [alice.userId]: ['OTHER', alice.deviceId] })).body['device_keys']
    assert.deepEqual(some, body['device_keys'])
    const other = (await query(bob, { [alice.userId]: ['OTHER'] })).body['device_keys']
    assert.deepEqual(other, { [alice.userId]: {} })
  })

  test('of unknown users are none, and unreachable servers are failures', async () => {
    const alice = await newUser()
    const asked = { '@nobody:one.test': [], '@__proto__:one.test': ['__proto__'], '@eve:two.test': [] }
    const { status, body } = await query(alice, asked)
    assert.equal(status, 200)
    assert.deepEqual(body['device_keys'], { '@nobody:one.test': {}, '@__proto__:one.test': {} })
    assert.deepEqual(Object.keys(body['failures'] as object), ['two.test'])
  })

  test('for one use are counted, and claimed once each in the order of upload, then the fallback key', async () => {
    const [alice, bob] = [await newUser(), await newUser()]
    const first = await upload(alice, { one_time_keys: { 'signed_curve25519:B': signed('b') } })
    assert.deepEqual(first.body['one_time_key_counts'], { signed_curve25519: 1 })
    const both = { 'signed_curve25519:A': signed('a'), 'signed_curve25519:B': signed('b'), 'curve25519:A': 'text' }
    const fallback = { 'signed_curve25519:F': { ...signed('f'), fallback: true } }
    const second = await upload(alice, { one_time_keys: both, fallback_keys: fallback })
    assert.deepEqual(second.body['one_time_key_counts'], { signed_curve25519: 2, curve25519: 1 })
    assert.deepEqual((await sync(alice))['device_unused_fallback_key_types'], ['signed_curve25519'])

    const request = { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } }
    const claimed = []
    for (let round = 0; round < 4; round++) {
      const { body } = await claim(bob, request)
      assert.deepEqual(body['failures'], {})
      claimed.push((body['one_time_keys'] as Record<string, Record<string, unknown>>)[alice.userId]?.[alice.deviceId])
    }
    assert.deepEqual(claimed, [
      { 'signed_curve25519:B': signed('b') },
      { 'signed_curve25519:A': signed('a') },
      fallback,
      fallback,
    ])
    const after = await sync(alice)
    assert.deepEqual(after['device_one_time_keys_count'], { signed_curve25519: 0, curve25519: 1 })
    assert.deepEqual(after['device_unused_fallback_key_types'], [])
    const again = await upload(alice, { one_time_keys: { 'signed_curve25519:B': signed('b') } })
    assert.deepEqual(again.body['one_time_key_counts'], { signed_curve25519: 0, curve25519: 1 }, 'never given twice')
  })

  test('that do not exist are left out of a claim, and unreachable servers are failures', async () => {
    const alice = await newUser()
    const options = json(
      `{"${alice.userId}":{"OTHER":"a","__proto__":"a"},"@nobody:one.test":{"A":"a"},"@eve:two.test":{"A":"a"}}`,
    )
    const { status, body } = await claim(alice, options)
    assert.deepEqual([status, body['one_time_keys']], [200, {}])
    assert.deepEqual(Object.keys(body['failures'] as object), ['two.test'])
  })

  test('may have the names of properties of every object', async () => {
    const alice = await newUser()
    const keys = json('{"__proto__:__proto__":"one","constructor:toString":"two"}')
    const { body } = await upload(alice, { one_time_keys: keys })
    const counts = json('{"__proto__":1,"constructor":1,"signed_curve25519":0}')
    assert.deepEqual(new Map(Object.entries(body['one_time_key_counts'] as object)), new Map(Object.entries(counts)))
    const claimed = await claim(alice, { [alice.userId]: { [alice.deviceId]: '__proto__' } })
    const ofUser = (claimed.body['one_time_keys'] as Record<string, Record<string, object>>)[alice.userId]
    assert.deepEqual(Object.entries(ofUser?.[alice.deviceId] ?? {}), [['__proto__:__proto__', 'one']])
  })

  test('with the id of another key are refused, and the whole upload with them', async () => {
    const alice = await newUser()
    await upload(alice, { one_time_keys: { 'a:1': 'one' } })
    const answer = await upload(alice, {
      device_keys: deviceKeysOf(alice),
      one_time_keys: { 'a:2': 'two', 'a:1': 'another' },
      fallback_keys: { 'a:F': 'fallback' },
    })
    assert.deepEqual([answer.status, answer.body['errcode']], [400, 'M_UNKNOWN'])
    assert.deepEqual((await upload(alice, {})).body['one_time_key_counts'], { signed_curve25519: 0, a: 1 })
    assert.deepEqual((await query(alice, { [alice.userId]: [] })).body['device_keys'], { [alice.userId]: {} })
    assert.deepEqual((await sync(alice))['device_unused_fallback_key_types'], [])
  })

  test('for one use are at most 500 of a device, and a larger upload changes nothing', async () => {
    const alice = await newUser()
    const named = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`signed_curve25519:${from + at}`, signed('x')]))
    const tooMany = await upload(alice, { one_time_keys: named(0, 501) })
    assert.deepEqual([tooMany.status, tooMany.body['errcode']], [400, 'M_TOO_LARGE'])
    assert.equal(tooMany.body['error'], 'a device has at most 500 one-time keys')
    const most = await upload(alice, { one_time_keys: named(0, 500) })
    assert.deepEqual(most.body['one_time_key_counts'], { signed_curve25519: 500 })
    assert.equal((await upload(alice, { one_time_keys: named(500, 1) })).status, 400)
    assert.equal((await upload(alice, { one_time_keys: { 'curve25519:A': 'text' } })).status, 400, 'of any algorithm')
    assert.equal((await upload(alice, { one_time_keys: named(0, 500) })).status, 200, 'an answer got lost')
    await claim(await newUser(), { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } })
    assert.equal((await upload(alice, { one_time_keys: named(500, 1) })).status, 200)
  })

  test('to fall back on are at most 50 of a device', async () => {
    const alice = await newUser()
    const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}:1`, 'x']))
    const tooMany = await upload(alice, { fallback_keys: named(51) })
    assert.deepEqual([tooMany.status, tooMany.body['error']], [400, 'a device has at most 50 fallback keys'])
    assert.equal((await upload(alice, { fallback_keys: named(50) })).status, 200)
    assert.equal((await upload(alice, { fallback_keys: { 'other:1': 'x' } })).status, 400)
  })

  const me = { user_id: '@me:one.test', device_id: 'ME' }
  const refusals = [
    [
      'upload',
      'keys of another device',
      { device_keys: deviceKeysOf({ userId: '@me:one.test', deviceId: 'ME', token: '' }) },
      'M_INVALID_PARAM',
    ],
    ['upload', 'keys without algorithms', { device_keys: { ...me, keys: {}, signatures: {} } }, 'M_MISSING_PARAM'],
    ['upload', 'a list of keys', { one_time_keys: [] }, 'M_BAD_JSON'],
    ['upload', 'a key without an algorithm', { one_time_keys: { nameless: 'x' } }, 'M_BAD_JSON'],
    ['upload', 'a name with a null byte', { one_time_keys: { 'a:\0': 'x' } }, 'M_BAD_JSON'],
    ['upload', 'a name of too many bytes', { one_time_keys: { [`a:${'💥'.repeat(100)}`]: 'x' } }, 'M_INVALID_PARAM'],
    ['upload', 'a number for a key', { one_time_keys: { 'a:1': 7 } }, 'M_BAD_JSON'],
    ['upload', 'a key that is half signed', { one_time_keys: { 'a:1': { key: 'x' } } }, 'M_BAD_JSON'],
    [
      'upload',
      'numbers outside canonical JSON',
      { one_time_keys: { 'a:1': { ...signed('x'), n: 1.5 } } },
      'M_BAD_JSON',
    ],
    ['upload', 'two fallback keys for one algorithm', { fallback_keys: { 'a:1': 'x', 'a:2': 'y' } }, 'M_INVALID_PARAM'],
    ['query', 'nothing asked', {}, 'M_MISSING_PARAM'],
    ['query', 'devices in an object', { device_keys: { '@a:one.test': { DEVICE: true } } }, 'M_BAD_JSON'],
    ['query', 'users in a list', { device_keys: ['@a:one.test'] }, 'M_BAD_JSON'],
    ['query', 'a device that is a number', { device_keys: { '@a:one.test': [7] } }, 'M_BAD_JSON'],
    ['query', 'an invalid user id', { device_keys: { alice: [] } }, 'M_BAD_JSON'],
    ['query', 'a user without a server', { device_keys: { '@alice': [] } }, 'M_INVALID_PARAM'],
    ['claim', 'no keys', {}, 'M_MISSING_PARAM'],
    ['claim', 'algorithms in a list', { one_time_keys: { '@a:one.test': ['x'] } }, 'M_BAD_JSON'],
    ['claim', 'an algorithm that is no text', { one_time_keys: { '@a:one.test': { A: {} } } }, 'M_BAD_JSON'],
    ['claim', 'a user without a server', { one_time_keys: { '@alice': { A: 'x' } } }, 'M_INVALID_PARAM'],
  ] as const
  for (const [operation, name, body, code] of refusals) {
    test(`of ${name} are refused by ${operation}`, async () => {
      const { token } = await newUser()
      const answer = await server.call('POST', `${v3}/keys/${operation}`, { token, body })
      assert.deepEqual([answer.status, answer.body['errcode']], [400, code])
    })
  }

  test('need a token', async () => {
    for (const operation of ['upload', 'query', 'claim']) {
      const answer = await server.call('POST', `${v3}/keys/${operation}`, { body: {} })
      assert.deepEqual([answer.status, answer.body['errcode']], [401, 'M_MISSING_TOKEN'])
    }
  })
})

describe('changes of devices', () => {
  let server: TestServer
  before(async () => void (server = await testServer()))
  after(() => server.close())

  test('are sent to users who share a room, by sync and between two tokens', async () => {
    const [alice, bob, eve] = [
      await server.register('alice'),
      await server.register('bob'),
      await server.register('eve'),
    ]
    const created = await server.call('POST', `${v3}/createRoom`, {
      token: alice.token,
      body: { preset: 'public_chat' },
    })
    await server.call('POST', `${v3}/join/${created.body['room_id'] as string}`, { token: bob.token, body: {} })
    const sync = async ({ token }: User, since = '') =>
      (await server.call('GET', `${v3}/sync${since && `?since=${since}`}`, { token })).body
    const changes = async ({ token }: User, from: string, to: string) =>
      (await server.call('GET', `${v3}/keys/changes?from=${from}&to=${to}`, { token })).body

    const from = new Map<User, string>()
    for (const user of [alice, bob, eve]) from.set(user, String((await sync(user))['next_batch']))
    const put = { token: alice.token, body: { device_keys: deviceKeysOf(alice) } }
    await server.call('POST', `${v3}/keys/upload`, put)
    let to = ''
    for (const [user, since] of from) {
      const seen = await sync(user, since)
      const expected = { changed: user === eve ? [] : [alice.userId], left: [] }
      assert.deepEqual(seen['device_lists'], expected)
      to = String(seen['next_batch'])
      assert.deepEqual(await changes(user, since, to), expected)
      const untilNow = await server.call('GET', `${v3}/keys/changes?from=${since}`, { token: user.token })
      assert.deepEqual(untilNow.body, expected)
      assert.deepEqual(await changes(user, to, to), { changed: [], left: [] })
      assert.deepEqual(await changes(user, since, since), { changed: [], left: [] })
    }
    await server.call('POST', `${v3}/keys/upload`, put)
    assert.deepEqual((await sync(bob, to))['device_lists'], { changed: [], left: [] }, 'the same keys are no change')
  })

  test('are refused for missing or invalid tokens', async () => {
    const { token } = await server.register('carol')
    const cases = [
      ['', 'M_MISSING_PARAM'],
      ['?to=s1_0_0', 'M_MISSING_PARAM'],
      ['?from=s1_0_0&to=', 'M_INVALID_PARAM'],
      ['?from=s1_0_0&to=yesterday', 'M_INVALID_PARAM'],
    ]
    for (const [search, code] of cases) {
      const answer = await server.call('GET', `${v3}/keys/changes${search}`, { token })
      assert.deepEqual([answer.status, answer.body['errcode']], [400, code])
    }
  })
})
