// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { testNetwork } from '@myelin/testing/network'
import type { TestNetwork } from '@myelin/testing/network'
import { authorOf } from '@myelin/testing/room-author'
import type { RoomAuthor } from '@myelin/testing/room-author'
import type { TestServer } from '@myelin/testing/server'

const ONE = 'one.test' as ServerName
const bob = '@bob:two.test'

type Query = Parameters<typeof federationPath>[1]

describe('over the network, another server', () => {
  let net: TestNetwork
  let one: TestServer
  let two: TestServer
  let alice: { userId: string; deviceId: string; token: string }
  before(async () => {
    net = await testNetwork({
      servers: 3,
      config: (name) => ({
        disclosure: {
          allowsProfileLookup: name !== 'three.test',
          allowsPublicRooms: name !== 'three.test',
          allowsDeviceNames: false,
        },
      }),
    })
    one = net.server('one.test')
    two = net.server('two.test')
    alice = await one.register('alice')
  })
  after(() => net.close())

  const get = (parts: readonly string[], query: Query = {}, to = ONE, by = two) =>
    by.rt.remote.call(to, { method: 'GET', target: federationPath(['federation', 'v1', ...parts], query) })
  const post = (parts: readonly string[], body: JsonObject) =>
    two.rt.remote.call(ONE, { method: 'POST', target: federationPath(['federation', 'v1', ...parts]), body })
  const refused = async (answer: Promise<unknown>) => {
    try {
      await answer
    } catch (cause) {
      if (cause instanceof RemoteError) return `${cause.status} ${cause.errcode}`
      throw cause
    }
    return '200'
  }
  const room = async (body: object = {}): Promise<RoomAuthor> => {
    const preset = { preset: 'public_chat', ...body }
    const answer = await one.call('POST', '/_matrix/client/v3/createRoom', { token: alice.token, body: preset })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return authorOf(one.rt, answer.body['room_id'] as RoomAuthor['roomId'])
  }

  test('reads a room that one of its users has joined, and only with a signature', async () => {
    const { roomId, member, say } = await room()
    await member(bob, bob, 'join')
    const [first, last] = [await say(bob, 'first'), await say(bob, 'last')]
    assert.equal(((await get(['event', first]))['pdus'] as unknown[]).length, 1)
    const { pdu_ids: ids, auth_chain_ids: chain } = await get(['state_ids', roomId], { event_id: last })
    const { pdus, auth_chain: authChain } = await get(['state', roomId], { event_id: last })
    assert.equal((ids as string[]).length, (pdus as unknown[]).length)
    assert.equal((chain as string[]).length, (authChain as unknown[]).length)
    assert.ok(((await get(['event_auth', roomId, last]))['auth_chain'] as unknown[]).length >= 3)
    assert.equal(((await get(['backfill', roomId], { v: [last], limit: 2 }))['pdus'] as unknown[]).length, 2)
    const missing = { earliest_events: [], latest_events: [last], limit: 1 }
    assert.equal(((await post(['get_missing_events', roomId], missing))['events'] as unknown[]).length, 1)
    const found = await get(['timestamp_to_event', roomId], { ts: net.clock.now(), dir: 'b' })
    assert.equal(found['event_id'], last)
    const target = federationPath(['federation', 'v1', 'event', first])
    assert.equal(
      await refused(two.rt.remote.call(ONE, { method: 'GET', target, isUnsigned: true })),
      '401 M_UNAUTHORIZED',
    )
  })

  test('gets the error code of the spec for each wrong request', async () => {
    const { roomId, say } = await room()
    const event = await say(alice.userId, 'hidden')
    const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['403 M_FORBIDDEN', () => get(['event', event])],
      ['404 M_NOT_FOUND', () => get(['event', '$unknown'])],
      ['400 M_INVALID_PARAM', () => get(['event', 'nothing'])],
      ['403 M_FORBIDDEN', () => get(['state', roomId], { event_id: event })],
      ['400 M_MISSING_PARAM', () => get(['state', roomId])],
      ['403 M_FORBIDDEN', () => get(['backfill', roomId], { v: event, limit: 1 })],
      ['400 M_MISSING_PARAM', () => get(['backfill', roomId], { limit: 1 })],
      ['400 M_INVALID_PARAM', () => get(['backfill', roomId], { v: event, limit: 'all' })],
      ['400 M_MISSING_PARAM', () => post(['get_missing_events', roomId], { latest_events: [] })],
      ['400 M_BAD_JSON', () => post(['get_missing_events', roomId], { latest_events: [7], earliest_events: [] })],
      ['400 M_INVALID_PARAM', () => get(['timestamp_to_event', roomId], { ts: 1, dir: 'sideways' })],
      ['404 M_NOT_FOUND', () => get(['query', 'weather'])],
      ['404 M_NOT_FOUND', () => get(['query', 'directory'], { room_alias: '#none:one.test' })],
      ['400 M_INVALID_PARAM', () => get(['query', 'profile'], { user_id: '@alice:three.test' })],
      ['404 M_NOT_FOUND', () => get(['query', 'profile'], { user_id: '@nobody:one.test' })],
      ['400 M_INVALID_PARAM', () => get(['user', 'devices', '@alice:three.test'])],
      ['403 M_FORBIDDEN', () => get(['publicRooms'], {}, 'three.test' as ServerName)],
      ['403 M_FORBIDDEN', () => get(['query', 'profile'], { user_id: '@x:three.test' }, 'three.test' as ServerName)],
    ]
    for (const [index, [expected, answer]] of cases.entries())
      assert.equal(await refused(answer()), expected, `case ${index}`)
  })

  test('resolves an alias, also for its clients, and gets the servers in the room', async () => {
    const { roomId, member } = await room({ room_alias_name: 'lounge' })
    await member(bob, bob, 'join')
    const alias = '#lounge:one.test'
    const servers = ['one.test', 'two.test']
    assert.deepEqual(await get(['query', 'directory'], { room_alias: alias }), { room_id: roomId, servers })
    const path = `/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`
    assert.deepEqual((await two.call('GET', path)).body, {
      room_id: roomId,
      servers,
    })
    const unknown = await two.call('GET', path.replace('lounge', 'nowhere'))
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND'])
    const away = await two.call('GET', path.replace('one.test', 'gone.test'))
    assert.deepEqual([away.status, away.body['errcode']], [502, 'M_UNKNOWN'])
  })

  test('reads a profile, at most once a minute', async () => {
    const field = `/_matrix/client/v3/profile/${encodeURIComponent(alice.userId)}`
    await one.call('PUT', `${field}/displayname`, { token: alice.token, body: { displayname: 'Alice' } })
    assert.deepEqual((await two.call('GET', field)).body, { displayname: 'Alice' })
    await one.call('PUT', `${field}/displayname`, { token: alice.token, body: { displayname: 'Alice A.' } })
    assert.deepEqual((await two.call('GET', `${field}/displayname`)).body, { displayname: 'Alice' })
    net.clock.advance(60_001)
    assert.deepEqual((await two.call('GET', `${field}/displayname`)).body, { displayname: 'Alice A.' })
    const unset = await two.call('GET', `${field}/avatar_url`)
    assert.deepEqual([unset.status, unset.body], [200, {}])
    assert.deepEqual(await get(['query', 'profile'], { user_id: alice.userId, field: 'avatar_url' }), {})
    assert.equal((await two.call('GET', `${field}/m.tz`)).status, 404)
    assert.equal((await two.call('GET', field.replace('one.test', 'three.test'))).status, 403)
    assert.deepEqual(await get(['query', 'profile'], { user_id: alice.userId, field: 'displayname' }), {
      displayname: 'Alice A.',
    })
  })

  test('shows its clients the directory, without rooms they cannot enter', async () => {
    const listed = await room({ visibility: 'public', name: 'everybody' })
    await room({ visibility: 'public', name: 'only us', creation_content: { 'm.federate': false } })
    const path = '/_matrix/client/v3/publicRooms'
    const ids = ({ body }: { body: JsonObject }) =>
      (body['chunk'] as { room_id: string }[]).map((entry) => entry.room_id)
    const { token } = await two.register('reader')
    const read = await two.call('GET', `${path}?server=one.test&limit=50`)
    const searched = await two.call('POST', `${path}?server=one.test`, {
      token,
      body: { filter: { generic_search_term: 'EVERY' } },
    })
    assert.deepEqual(ids(read as { body: JsonObject }), [listed.roomId])
    assert.deepEqual(ids(searched as { body: JsonObject }), [listed.roomId])
    assert.equal((await one.call('GET', path)).body['total_room_count_estimate'], 2)
    const refusal = await two.call('GET', `${path}?server=three.test`)
    assert.deepEqual([refusal.status, refusal.body['errcode']], [403, 'M_FORBIDDEN'])
  })

  test('gets keys for its clients, each one-time key once, and no device names', async () => {
    const device = { user_id: alice.userId, device_id: alice.deviceId }
    const keys = { ...device, algorithms: ['x'], keys: { [`ed25519:${alice.deviceId}`]: 'abc' }, signatures: {} }
    const upload = { device_keys: keys, one_time_keys: { 'signed_curve25519:A': { key: 'first', signatures: {} } } }
    const path = '/_matrix/client/v3'
    assert.equal((await one.call('POST', `${path}/keys/upload`, { token: alice.token, body: upload })).status, 200)
    const { token } = await two.register('keys')
    const asked = { device_keys: { [alice.userId]: [], '@x:gone.test': [] } }
    const queried = (await two.call('POST', `${path}/keys/query`, { token, body: asked })).body as {
      device_keys: Record<string, Record<string, JsonObject>>
      failures: JsonObject
    }
    assert.deepEqual(queried.device_keys[alice.userId]?.[alice.deviceId], { ...keys, unsigned: {} })
    assert.deepEqual(Object.keys(queried.failures), ['gone.test'])
    const requested = { one_time_keys: { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } } }
    const claim = async () =>
      (await two.call('POST', `${path}/keys/claim`, { token, body: requested })).body['one_time_keys'] as JsonObject
    assert.deepEqual(await claim(), {
      [alice.userId]: { [alice.deviceId]: { 'signed_curve25519:A': { key: 'first', signatures: {} } } },
    })
    assert.deepEqual(await claim(), {})
    const { user_id: userId, stream_id: streamId, devices } = await get(['user', 'devices', alice.userId])
    assert.equal(userId, alice.userId)
    assert.ok((streamId as number) > 0)
    assert.deepEqual(devices, [{ device_id: alice.deviceId, keys }])
    const foreign = { device_keys: { '@x:three.test': [] } }
    assert.deepEqual((await post(['user', 'keys', 'query'], foreign))['device_keys'], {})
  })

  test('gets the owner of an OpenID token for an hour', async () => {
    const path = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/openid/request_token`
    const { status, body } = await one.call('POST', path, { token: alice.token, body: {} })
    assert.equal(status, 200)
    assert.deepEqual([body['token_type'], body['matrix_server_name'], body['expires_in']], ['Bearer', 'one.test', 3600])
    const ask = (token: string) => one.call('GET', `/_matrix/federation/v1/openid/userinfo?access_token=${token}`)
    assert.deepEqual((await ask(String(body['access_token']))).body, { sub: alice.userId })
    for (const token of ['nonsense', alice.token]) {
      const refusal = await ask(token)
      assert.deepEqual([refusal.status, refusal.body['errcode']], [401, 'M_UNKNOWN_TOKEN'])
    }
    for (const search of ['', '?access_token=']) {
      const refusal = await one.call('GET', `/_matrix/federation/v1/openid/userinfo${search}`)
      assert.deepEqual([refusal.status, refusal.body['errcode']], [401, 'M_MISSING_TOKEN'])
    }
    const other = await one.call('POST', path.replace('alice', 'bob'), { token: alice.token, body: {} })
    assert.equal(other.status, 403)
    net.clock.advance(3_600_001)
    assert.equal((await ask(String(body['access_token']))).status, 401)
  })
})
