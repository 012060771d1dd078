// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import type { Answer, TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
const DEHYDRATED = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device'
type Person = Awaited<ReturnType<TestServer['register']>>
type Body = Record<string, unknown>

const keysOf = ({ userId }: Person, deviceId: string) => ({
  user_id: userId,
  device_id: deviceId,
  algorithms: ['m.olm.v1.curve25519-aes-sha2'],
  keys: { [`curve25519:${deviceId}`]: `identity of ${deviceId}` },
  signatures: {},
  dehydrated: true,
})

const deviceOf = (owner: Person, deviceId: string, more: Body = {}) => ({
  device_id: deviceId,
  device_data: { algorithm: 'org.matrix.msc3814.v2', device_pickle: `pickle of ${deviceId}`, nonce: 'n' },
  initial_device_display_name: 'Dehydrated device',
  device_keys: keysOf(owner, deviceId),
  one_time_keys: { 'signed_curve25519:1': { key: 'one', signatures: {} } },
  fallback_keys: { 'signed_curve25519:f': { key: 'fallback', fallback: true, signatures: {} } },
  ...more,
})

onEveryDatabase('a dehydrated device', (open) => {
  describe('of a user', () => {
    let server: TestServer
    let alice: Person
    let bob: Person
    let sent = 0
    const call = (method: string, path: string, { token }: Person, body?: unknown): Promise<Answer> =>
      server.call(method, path, { token, ...(body === undefined ? {} : { body }) })
    const done = async (method: string, path: string, who: Person, body?: unknown): Promise<Body> => {
      const answer = await call(method, path, who, body)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body
    }
    const put = (deviceId: string) => done('PUT', DEHYDRATED, alice, deviceOf(alice, deviceId))
    const send = (deviceId: string, text: string) =>
      done('PUT', `${v3}/sendToDevice/x.test/${sent++}`, bob, {
        messages: { [alice.userId]: { [deviceId]: { text } } },
      })
    const sync = (who: Person, since: string) => done('GET', `${v3}/sync?since=${since}`, who)
    const devicesSeenByBob = async (): Promise<Record<string, Body>> => {
      const body = await done('POST', `${v3}/keys/query`, bob, { device_keys: { [alice.userId]: [] } })
      return (body['device_keys'] as Record<string, Record<string, Body>>)[alice.userId] ?? {}
    }
    const claim = async (deviceId: string): Promise<Body> => {
      const request = { one_time_keys: { [alice.userId]: { [deviceId]: 'signed_curve25519' } } }
      const { one_time_keys: keys } = await done('POST', `${v3}/keys/claim`, bob, request)
      return (keys as Record<string, Record<string, Body>>)[alice.userId]?.[deviceId] ?? {}
    }
    const texts = (events: unknown) => (events as { content: { text: string } }[]).map(({ content }) => content.text)

    before(async () => {
      server = await testServer(open)
      alice = await server.register('alice')
      bob = await server.register('bob')
      const room = await done('POST', `${v3}/createRoom`, alice, { preset: 'public_chat' })
      await done('POST', `${v3}/join/${encodeURIComponent(String(room['room_id']))}`, bob, {})
    })
    after(() => server.close())

    test('is missing until it is uploaded', async () => {
      for (const method of ['GET', 'DELETE']) {
        const { status, body } = await call(method, DEHYDRATED, alice)
        assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND'])
      }
      const { status, body } = await call('GET', `${DEHYDRATED}/DRY/events`, alice)
      assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
    })

    test('is stored with its keys, which others see and claim', async () => {
      const since = String((await done('GET', `${v3}/sync`, bob))['next_batch'])
      assert.deepEqual(await put('DRY'), { device_id: 'DRY' })
      const { device_data: deviceData } = deviceOf(alice, 'DRY')
      assert.deepEqual(await done('GET', DEHYDRATED, alice), { device_id: 'DRY', device_data: deviceData })
      const { device_lists: lists } = await sync(bob, since)
      assert.deepEqual(lists, { changed: [alice.userId], left: [] })
      const seen = (await devicesSeenByBob())['DRY']
      assert.equal(seen?.['dehydrated'], true)
      assert.deepEqual(seen['unsigned'], { device_display_name: 'Dehydrated device' })
      assert.deepEqual(Object.keys(await claim('DRY')), ['signed_curve25519:1'])
      assert.deepEqual(Object.keys(await claim('DRY')), ['signed_curve25519:f'])
      assert.deepEqual((await call('GET', DEHYDRATED, bob)).status, 404)
    })

    test('gets messages, which are read page by page and stay', async () => {
      for (const text of ['1', '2', '3']) await send('DRY', text)
      const first = await done('GET', `${DEHYDRATED}/DRY/events?limit=2`, alice)
      assert.deepEqual(texts(first['events']), ['1', '2'])
      const second = await done('GET', `${DEHYDRATED}/DRY/events?limit=2&from=${String(first['next_batch'])}`, alice)
      assert.deepEqual(second, { events: [{ type: 'x.test', sender: bob.userId, content: { text: '3' } }] })
      assert.deepEqual(texts((await done('GET', `${DEHYDRATED}/DRY/events`, alice))['events']), ['1', '2', '3'])
      const exact = await done('GET', `${DEHYDRATED}/DRY/events?limit=3`, alice)
      assert.equal('next_batch' in exact, false, 'a full page with nothing behind it is the last')
    })

    test('gives messages in the older form until none are left', async () => {
      const read = (body: object) => done('POST', `${DEHYDRATED}/DRY/events`, alice, body)
      const all = await read({})
      assert.deepEqual(texts(all['events']), ['1', '2', '3'])
      const { events, next_batch: next } = await read({ next_batch: all['next_batch'] })
      assert.deepEqual(events, [])
      await send('DRY', '4')
      assert.deepEqual(texts((await read({ next_batch: next }))['events']), ['4'])
    })

    test('keeps its messages when the upload is repeated', async () => {
      await put('DRY')
      assert.equal(texts((await done('GET', `${DEHYDRATED}/DRY/events`, alice))['events']).length, 4)
    })

    test('cannot be logged in to', async () => {
      const login = { type: 'm.login.password', user: 'alice', password: 'correct horse' }
      const refused = await server.call('POST', `${v3}/login`, { body: { ...login, device_id: 'DRY' } })
      assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
      assert.equal((await server.call('POST', `${v3}/login`, { body: { ...login, device_id: 'WET' } })).status, 200)
    })

    const refusals: [string, (owner: Person, other: Person) => Body, number, string][] = [
      ['the ID of a device that logged in', (owner) => deviceOf(owner, owner.deviceId), 400, 'M_INVALID_PARAM'],
      ['no keys', (owner) => ({ ...deviceOf(owner, 'NEW'), device_keys: undefined }), 400, 'M_MISSING_PARAM'],
      ['no algorithm', (owner) => deviceOf(owner, 'NEW', { device_data: {} }), 400, 'M_MISSING_PARAM'],
      [
        'keys of another device',
        (owner) => deviceOf(owner, 'NEW', { device_keys: keysOf(owner, 'OTHER') }),
        400,
        'M_INVALID_PARAM',
      ],
      [
        'keys of another user',
        (owner, other) => deviceOf(owner, 'NEW', { device_keys: keysOf(other, 'NEW') }),
        400,
        'M_INVALID_PARAM',
      ],
      [
        'too much data',
        (owner) => deviceOf(owner, 'NEW', { device_data: { algorithm: 'x', pickle: 'p'.repeat(131_072) } }),
        413,
        'M_TOO_LARGE',
      ],
    ]
    for (const [name, bodyOf, status, errcode] of refusals) {
      test(`is not replaced by an upload with ${name}`, async () => {
        const answer = await call('PUT', DEHYDRATED, alice, bodyOf(alice, bob))
        assert.deepEqual([answer.status, answer.body['errcode']], [status, errcode], JSON.stringify(answer.body))
        assert.equal((await done('GET', DEHYDRATED, alice))['device_id'], 'DRY')
        assert.equal('DRY' in (await devicesSeenByBob()), true)
      })
    }

    test('refuses events of other devices and foreign tokens', async () => {
      const refused = async (path: string, who: Person) => {
        const { status, body } = await call('GET', `${DEHYDRATED}/${path}`, who)
        return [status, body['errcode']]
      }
      assert.deepEqual(await refused(`${alice.deviceId}/events`, alice), [403, 'M_FORBIDDEN'])
      assert.deepEqual(await refused('DRY/events', bob), [403, 'M_FORBIDDEN'])
      assert.deepEqual(await refused('DRY/events?from=s1', alice), [400, 'M_INVALID_PARAM'])
    })

    test('is replaced by another one, with its keys and messages', async () => {
      const since = String((await done('GET', `${v3}/sync`, bob))['next_batch'])
      await put('DRIER')
      assert.deepEqual((await sync(bob, since))['device_lists'], { changed: [alice.userId], left: [] })
      const seen = await devicesSeenByBob()
      assert.deepEqual(['DRY' in seen, 'DRIER' in seen], [false, true])
      assert.deepEqual(await claim('DRY'), {})
      assert.equal((await call('GET', `${DEHYDRATED}/DRY/events`, alice)).status, 403)
      assert.deepEqual((await done('GET', `${DEHYDRATED}/DRIER/events`, alice))['events'], [])
      assert.equal((await call('GET', `${v3}/devices/DRY`, alice)).status, 404)
    })

    test('is deleted, which others hear of', async () => {
      const since = String((await done('GET', `${v3}/sync`, bob))['next_batch'])
      assert.deepEqual(await done('DELETE', DEHYDRATED, alice), { device_id: 'DRIER' })
      assert.deepEqual((await sync(bob, since))['device_lists'], { changed: [alice.userId], left: [] })
      assert.equal((await call('GET', DEHYDRATED, alice)).status, 404)
      assert.equal('DRIER' in (await devicesSeenByBob()), false)
    })

    test('is deleted with the account', async () => {
      await put('LAST')
      const { session } = (await call('POST', `${v3}/account/deactivate`, alice, {})).body
      const auth = { type: 'm.login.password', session, user: 'alice', password: 'correct horse' }
      await done('POST', `${v3}/account/deactivate`, alice, { auth })
      const rows = await server.rt.db.read.selectFrom('dehydrated_devices').selectAll().execute()
      assert.deepEqual(rows, [])
    })
  })
})
