// SPDX-License-Identifier: Apache-2.0
import { encodeBase64 } from '@myelin/matrix/base64'
import { testConfig, testPolicyKey } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const client = '/_matrix/client'
type Body = Record<string, unknown>

describe('an advertised feature', () => {
  let server: TestServer
  let alice: Awaited<ReturnType<TestServer['register']>>
  let bob: typeof alice
  let room: string
  let event: string
  let sent = 0
  before(async () => {
    const push = { ...testConfig.push, withEncryptedEvents: true }
    server = await testServer(undefined, { presence: { isEnabled: true }, push })
    alice = await server.register('alice')
    bob = await server.register('bob')
    const created = await done('POST', 'v3/createRoom', { preset: 'public_chat', visibility: 'public' })
    room = encodeURIComponent(String(created['room_id']))
    await server.call('POST', `${client}/v3/rooms/${room}/join`, { token: bob.token, body: {} })
    event = await send('m.room.message', { msgtype: 'm.text', body: 'root' })
  })
  after(() => server.close())

  const call = (method: string, path: string, body?: unknown) =>
    server.call(method, `${client}/${path}`, { token: alice.token, ...(body === undefined ? {} : { body }) })
  const done = async (method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await call(method, path, body)
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const send = async (type: string, content: object) =>
    String((await done('PUT', `v3/rooms/${room}/send/${type}/${sent++}`, content))['event_id'])
  const loaded = async (eventId: string) =>
    done('GET', `v3/rooms/${room}/event/${encodeURIComponent(eventId)}`) as Promise<Record<string, Body>>
  const threaded = () =>
    send('m.room.message', {
      msgtype: 'm.text',
      body: 'in a thread',
      'm.relates_to': { rel_type: 'm.thread', event_id: event },
    })
  const profile = () => `profile/${alice.userId}/org.example.field`
  const setField = (path: string) => done('PUT', path, { 'org.example.field': 1 })

  const entries: Readonly<Record<string, () => Promise<unknown>>> = {
    'com.beeper.msc4169': async () => {
      const target = await send('m.room.message', { msgtype: 'm.text', body: 'gone' })
      await send('m.room.redaction', { redacts: target })
      assert.deepEqual((await loaded(target))['content'], {})
    },
    'fi.mau.msc2815': async () => {
      const target = await send('m.room.message', { msgtype: 'm.text', body: 'gone' })
      await send('m.room.redaction', { redacts: target })
      const query = 'fi.mau.msc2815.include_unredacted_content=true'
      const shown = await done('GET', `v3/rooms/${room}/event/${encodeURIComponent(target)}?${query}`)
      assert.equal((shown['content'] as Body)['body'], 'gone')
    },
    'org.matrix.e2e_cross_signing': async () => {
      const text = encodeBase64(testPolicyKey('one.test').publicKey)
      const key = { user_id: alice.userId, usage: ['master'], keys: { [`ed25519:${text}`]: text } }
      await done('POST', 'unstable/keys/device_signing/upload', { master_key: key })
    },
    'org.matrix.msc2285.stable': () => done('POST', `v3/rooms/${room}/receipt/m.read.private/${event}`, {}),
    'org.matrix.msc2432': async () => {
      const alias = `#tea:${server.name}`
      await done('PUT', `v3/directory/room/${encodeURIComponent(alias)}`, { room_id: decodeURIComponent(room) })
      assert.deepEqual((await done('GET', `v3/rooms/${room}/aliases`))['aliases'], [alias])
    },
    'org.matrix.msc3026.busy_presence': async () => {
      const path = `v3/presence/${alice.userId}/status`
      await done('PUT', path, { presence: 'org.matrix.msc3026.busy' })
      assert.equal((await done('GET', path))['presence'], 'org.matrix.msc3026.busy')
    },
    'org.matrix.msc3391': () =>
      done('DELETE', `unstable/org.matrix.msc3391/user/${alice.userId}/account_data/org.example`),
    'org.matrix.msc3440.stable': async () => {
      await threaded()
      const relations = (await loaded(event))['unsigned']?.['m.relations']
      assert.equal('m.thread' in (relations as object), true)
    },
    'org.matrix.msc3771': async () => {
      const reply = await threaded()
      await done('POST', `v3/rooms/${room}/receipt/m.read/${reply}`, { thread_id: event })
    },
    'org.matrix.msc3773': async () => {
      await threaded()
      const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { unread_thread_notifications: true } } }))
      const { body } = await server.call('GET', `${client}/v3/sync?filter=${filter}`, { token: bob.token })
      const { join } = body['rooms'] as { join: Record<string, { unread_thread_notifications: Body }> }
      const counts = Object.values(join)[0]?.unread_thread_notifications
      assert.equal(event in (counts ?? {}), true)
    },
    'org.matrix.msc3814': async () => {
      const { body } = await call('GET', 'unstable/org.matrix.msc3814.v1/dehydrated_device')
      assert.equal(body['errcode'], 'M_NOT_FOUND')
    },
    'org.matrix.msc3827.stable': async () => {
      const spaces = { filter: { room_types: ['m.space'] } }
      assert.deepEqual((await done('POST', 'v3/publicRooms', spaces))['chunk'], [])
    },
    'org.matrix.msc3881': async () => {
      const pusher = {
        kind: 'http',
        app_id: 'a',
        pushkey: 'p',
        app_display_name: 'a',
        device_display_name: 'd',
        lang: 'en',
        data: { url: 'https://push.test/_matrix/push/v1/notify' },
        'org.matrix.msc3881.enabled': false,
      }
      await done('POST', 'v3/pushers/set', pusher)
      const { pushers } = (await done('GET', 'v3/pushers')) as { pushers: Body[] }
      assert.equal(pushers[0]?.['org.matrix.msc3881.enabled'], false)
    },
    'org.matrix.msc3916.stable': () => done('GET', 'v1/media/config'),
    'org.matrix.msc3874': async () => {
      await threaded()
      const filter = encodeURIComponent(JSON.stringify({ 'org.matrix.msc3874.not_rel_types': ['m.thread'] }))
      const { chunk } = await done('GET', `v3/rooms/${room}/messages?dir=b&limit=1&filter=${filter}`)
      assert.notEqual((chunk as { content: Body }[])[0]?.content['body'], 'in a thread')
    },
    'org.matrix.msc3912': async () => {
      const reply = await threaded()
      const related = { rel_type: 'm.replace', event_id: reply }
      const edit = await send('m.room.message', { msgtype: 'm.text', body: 'edit', 'm.relates_to': related })
      const path = `v3/rooms/${room}/redact/${encodeURIComponent(reply)}/related`
      await done('PUT', path, { 'org.matrix.msc3912.with_relations': ['m.replace'] })
      assert.equal((await loaded(edit))['content']?.['body'], undefined)
    },
    'org.matrix.msc3981': () => done('GET', `v1/rooms/${room}/relations/${event}?recurse=true`),
    'org.matrix.msc4028': async () => {
      const rule = await done('GET', 'v3/pushrules/global/override/.org.matrix.msc4028.encrypted_event')
      assert.deepEqual([rule['enabled'], rule['actions']], [true, ['notify']])
    },
    'org.matrix.msc4069': () => setField(`v3/${profile()}?org.matrix.msc4069.propagate=false`),
    'org.matrix.msc4140': async () => {
      const path = `v3/rooms/${room}/send/m.room.message/late?org.matrix.msc4140.delay=60000`
      assert.equal(typeof (await done('PUT', path, { body: 'late', msgtype: 'm.text' }))['delay_id'], 'string')
    },
    'org.matrix.msc4143': () => done('GET', 'unstable/org.matrix.msc4143/rtc/transports'),
    'org.matrix.msc4222': async () => {
      const { rooms } = await done('GET', 'v3/sync?org.matrix.msc4222.use_state_after=true')
      const [joined] = Object.values((rooms as { join: Record<string, object> }).join)
      assert.equal('org.matrix.msc4222.state_after' in (joined ?? {}), true)
    },
    'org.matrix.msc4306': () =>
      done('PUT', `unstable/io.element.msc4306/rooms/${room}/thread/${event}/subscription`, {}),
    'org.matrix.msc4354': async () => {
      const query = 'org.matrix.msc4354.sticky_duration_ms=60000'
      await done('PUT', `v3/rooms/${room}/send/m.room.message/sticky?${query}`, { body: 'sticky', msgtype: 'm.text' })
      const { rooms } = await done('GET', 'v3/sync')
      assert.match(JSON.stringify(rooms), /sticky/)
    },
    'org.matrix.msc4155': async () => {
      const dora = await server.register('dora')
      const setting = `${client}/v3/user/${dora.userId}/account_data/org.matrix.msc4155.invite_permission_config`
      await server.call('PUT', setting, { token: dora.token, body: { blocked_users: ['@alice:*'] } })
      const { body } = await call('POST', `v3/rooms/${room}/invite`, { user_id: dora.userId })
      assert.equal(body['errcode'], 'M_INVITE_BLOCKED')
    },
    'org.matrix.msc4380.stable': async () => {
      const carol = await server.register('carol')
      const setting = `${client}/v3/user/${carol.userId}/account_data/m.invite_permission_config`
      await server.call('PUT', setting, { token: carol.token, body: { default_action: 'block' } })
      const { body } = await call('POST', `v3/rooms/${room}/invite`, { user_id: carol.userId })
      assert.equal(body['errcode'], 'M_INVITE_BLOCKED')
    },
    'org.matrix.simplified_msc3575': () => done('POST', 'unstable/org.matrix.simplified_msc3575/sync', {}),
    'uk.half-shot.msc2666.query_mutual_rooms.stable': async () => {
      const { joined } = await done('GET', `v1/mutual_rooms?user_id=${bob.userId}`)
      assert.deepEqual(joined, [decodeURIComponent(room)])
    },
    'uk.tcpip.msc4133': () => setField(`unstable/uk.tcpip.msc4133/${profile()}`),
    'uk.tcpip.msc4133.stable': () => setField(`v3/${profile()}`),
  }

  test('has a test here', async () => {
    const { unstable_features: features } = await done('GET', 'versions')
    assert.deepEqual(Object.keys(features as object).sort(), Object.keys(entries).sort())
  })
  for (const [name, use] of Object.entries(entries)) test(`works: ${name}`, () => use().then(() => {}))

  test('is left out where its setting is off', async () => {
    const quiet = await testServer()
    const { body } = await quiet.call('GET', `${client}/versions`)
    for (const name of ['org.matrix.msc3026.busy_presence', 'org.matrix.msc4028'])
      assert.equal(name in (body['unstable_features'] as object), false, name)
    await quiet.close()
  })
})
