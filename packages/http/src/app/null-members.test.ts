// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { UserId } from '@myelin/matrix/ids'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { NULL_MEANINGS, SLIDING_EXTENSION_NULLS } from '@myelin/testing/null-meanings'
import type { NullMeaning } from '@myelin/testing/null-meanings'
import { testServer } from '@myelin/testing/server'
import type { Answer, TestServer } from '@myelin/testing/server'
import type { TSchema } from 'typebox'
import { endpointsOf } from './endpoints.ts'
import { NULL_IS_ABSENT } from '../optional-or-null.ts'

/** Endpoints of unstable features, whose bodies still change; each refuses null or reads it as absence, as its schema says. */
const UNSETTLED: ReadonlySet<string> = new Set([
  'delegateDelayedLeave',
  'getLivekitToken',
  'getMemberToken',
  'getSfuAccess',
  'setThreadSubscription',
])

/** Endpoints whose tests are elsewhere: one for application services, and two where null means without a limit. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'pingAppservice',
  'synapseCreateRegistrationToken',
  'synapseUpdateRegistrationToken',
])

/** Alice in a public room of hers with bob, and what requests name. Each request has its own room, so that it can be repeated. */
interface Scene {
  readonly server: TestServer
  readonly token: string
  readonly deviceId: string
  readonly alice: string
  readonly bob: string
  readonly bobToken: string
  readonly roomId: string
  readonly eventId: string
  readonly serial: number
}

/** A request that is valid without its optional members: the path below the client API, and the required members. */
type Example = (
  scene: Scene,
) => readonly [path: string, body?: object, token?: string] | Promise<readonly [string, object?, string?]>

const key = { user_id: '@alice:one.test', usage: ['master'], keys: {} }
const password = 'correct horse'

async function makeAdmin({ rt }: TestServer, userId: string): Promise<void> {
  await rt.db.write(async (tx) => {
    const change = tx.updateTable('accounts').set({ is_admin: 1 })
    await change.where('user_id', '=', userId as UserId).execute()
    tx.touch(`account ${userId}`)
  })
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  changePassword: () => ['account/password'],
  deactivateAccount: () => ['account/deactivate'],
  register: ({ serial }) => ['register', { username: `new${serial}`, auth: { type: 'm.login.dummy' } }, ''],
  synapseRegisterBySecret: async ({ server, serial }) => {
    const nonce = String((await server.call('GET', '/_synapse/admin/v1/register')).body['nonce'])
    const text = [nonce, `new${serial}`, password, 'notadmin'].join('\0')
    const mac = createHmac('sha1', 'shared secret').update(text).digest('hex')
    return ['/_synapse/admin/v1/register', { nonce, username: `new${serial}`, password, mac }]
  },
  synapseSendServerNotice: async ({ server, alice }) => {
    await makeAdmin(server, alice)
    return ['/_synapse/admin/v1/send_server_notice', { user_id: alice, content: {} }]
  },
  synapseSendServerNoticeOnce: async ({ server, alice, serial }) => {
    await makeAdmin(server, alice)
    return [`/_synapse/admin/v1/send_server_notice/${serial}`, { user_id: alice, content: {} }]
  },
  synapsePutUser: async ({ server, alice }) => {
    await makeAdmin(server, alice)
    return [`/_synapse/admin/v2/users/${alice}`, {}]
  },
  synapseDeactivateUser: async ({ server, alice, serial }) => {
    await makeAdmin(server, alice)
    const { userId } = await server.register(`leaves${serial}`)
    return [`/_synapse/admin/v1/deactivate/${userId}`, {}]
  },
  synapseResetPassword: async ({ server, alice, serial }) => {
    await makeAdmin(server, alice)
    const { userId } = await server.register(`resets${serial}`)
    return [`/_synapse/admin/v1/reset_password/${userId}`, { new_password: password }]
  },
  synapseLogInAsUser: async ({ server, alice, bob }) => {
    await makeAdmin(server, alice)
    return [`/_synapse/admin/v1/users/${bob}/login`, {}]
  },
  synapseUpdateUserDevice: async ({ server, alice, deviceId }) => {
    await makeAdmin(server, alice)
    return [`/_synapse/admin/v2/users/${alice}/devices/${deviceId}`, {}]
  },
  deleteDevice: ({ deviceId }) => [`devices/${deviceId}`],
  deleteDevices: ({ deviceId }) => ['delete_devices', { devices: [deviceId] }],
  updateDevice: ({ deviceId }) => [`devices/${deviceId}`],
  queryPublicRooms: () => ['publicRooms', { filter: {} }],
  search: () => {
    const room_events = { search_term: 'a', event_context: {}, groupings: {} }
    return ['search', { search_categories: { room_events } }]
  },
  searchUserDirectory: () => ['user_directory/search', { search_term: 'bob' }],
  setRoomVisibilityOnDirectory: ({ roomId }) => [`directory/list/room/${roomId}`],
  redactEvent: ({ roomId, eventId, serial }) => [`rooms/${roomId}/redact/${eventId}/${serial}`],
  claimKeys: () => ['keys/claim', { one_time_keys: {} }],
  queryKeys: () => ['keys/query', { device_keys: {} }],
  uploadCrossSigningKeys: () => [
    'keys/device_signing/upload',
    { master_key: { ...key }, self_signing_key: { ...key }, user_signing_key: { ...key } },
  ],
  uploadKeys: () => ['keys/upload'],
  ban: ({ roomId, bob }) => [`rooms/${roomId}/ban`, { user_id: bob }],
  kick: ({ roomId, bob }) => [`rooms/${roomId}/kick`, { user_id: bob }],
  unban: async ({ server, roomId, bob, token }) => {
    await server.call('POST', `/_matrix/client/v3/rooms/${roomId}/ban`, { token, body: { user_id: bob } })
    return [`rooms/${roomId}/unban`, { user_id: bob }]
  },
  inviteUser: ({ roomId }) => [`rooms/${roomId}/invite`, { user_id: '@carol:one.test' }],
  joinRoomById: ({ roomId, bobToken }) => [`rooms/${roomId}/join`, {}, bobToken],
  joinRoom: ({ roomId, bobToken }) => [`join/${roomId}`, {}, bobToken],
  knockRoom: async ({ server, roomId, bobToken }) => {
    await server.call('POST', `/_matrix/client/v3/rooms/${roomId}/leave`, { token: bobToken, body: {} })
    return [`knock/${roomId}`, {}, bobToken]
  },
  leaveRoom: ({ roomId, bobToken }) => [`rooms/${roomId}/leave`, {}, bobToken],
  setPresence: ({ alice }) => [`presence/${alice}/status`, { presence: 'online' }],
  setReadMarker: ({ roomId }) => [`rooms/${roomId}/read_markers`],
  reportEvent: ({ roomId, eventId }) => [`rooms/${roomId}/report/${eventId}`],
  putRoomKeysVersion: async ({ server, token }) => {
    const body = { algorithm: 'a', auth_data: {} }
    await server.call('POST', '/_matrix/client/v3/room_keys/version', { token, body })
    return ['room_keys/version/1', body]
  },
  createRoom: () => ['createRoom', { initial_state: [{ type: 'm.room.topic', content: { topic: 'a' } }] }],
  upgradeRoom: ({ roomId }) => [`rooms/${roomId}/upgrade`, { new_version: '12' }],
  login: ({ alice }) => [
    'login',
    { type: 'm.login.password', identifier: { type: 'm.id.user', user: alice }, password },
  ],
  postPusher: ({ serial }) => [
    'pushers/set',
    {
      app_id: 'a',
      pushkey: `${serial}`,
      kind: 'http',
      app_display_name: 'a',
      device_display_name: 'd',
      lang: 'en',
      data: { url: 'https://push.test/_matrix/push/v1/notify' },
    },
  ],
  scheduleDelayedEvent: ({ roomId, serial }) => [
    `/_matrix/client/unstable/org.matrix.msc4140/rooms/${roomId}/delayed_event/m.room.topic/${serial}`,
    { delay_ms: 1000, content: { topic: 'a' } },
  ],
  setTyping: ({ roomId, alice }) => [`rooms/${roomId}/typing/${alice}`, { typing: true }],
}

const allExtensions = Object.fromEntries(
  Object.keys(SLIDING_EXTENSION_NULLS)
    .filter((name) => !name.endsWith('.enabled'))
    .map((name) => [name, { enabled: false }]),
)
const simplified = { timeline_limit: 1, required_state: [] }
const merged = { timeline_limit: 1, required_state: { include: [{}], exclude: [{}] } }
const SLIDING: Readonly<Record<string, Example>> = {
  simplifiedSync: ({ roomId }) => [
    '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
    {
      lists: { a: { ...simplified, filters: {} } },
      room_subscriptions: { [roomId]: simplified },
      extensions: allExtensions,
    },
  ],
  syncV4: ({ roomId }) => [
    '/_matrix/client/v4/sync',
    {
      lists: { a: { ...merged, filters: {} } },
      room_subscriptions: { [roomId]: merged },
      extensions: allExtensions,
    },
  ],
}

const endpoints = new Map(endpointsOf(['client']).map((endpoint) => [endpoint.id, endpoint]))

/** Returns the optional members of a schema, with the meaning of `null` that it has. */
function optionalMembers(schema: TSchema, path = ''): (readonly [string, NullMeaning])[] {
  const {
    properties = {},
    required = [],
    items,
    additionalProperties: entries,
  } = schema as unknown as {
    readonly additionalProperties?: TSchema | boolean
    readonly properties?: Readonly<Record<string, TSchema>>
    readonly required?: readonly string[]
    readonly items?: TSchema
  }
  const own = Object.entries(properties).flatMap(([name, member]) => {
    const isAbsent = NULL_IS_ABSENT in member
    const { anyOf } = member as { readonly anyOf?: readonly TSchema[] }
    const inside = optionalMembers(isAbsent ? (anyOf?.[0] ?? member) : member, `${path}${name}.`)
    const meaning: NullMeaning = isAbsent ? 'absent' : 'refused'
    return required.includes(name) ? inside : [[`${path}${name}`, meaning] as const, ...inside]
  })
  if (typeof entries === 'object') return [...own, ...optionalMembers(entries, `${path}{}.`)]
  return items ? [...own, ...optionalMembers(items, `${path}[].`)] : own
}

/** Returns the first name of a path in an object; undefined where only the whole path can be a name. */
function stepIn(object: object, path: string): string | undefined {
  const parts = path.split('.')
  if (parts[0] === '{}' || parts[0] === '[]') return parts[0]
  const names = parts.map((_, at) => parts.slice(0, parts.length - at).join('.'))
  return names.find((name) => Object.hasOwn(object, name))
}

const THREADS = 'io.element.msc4308.thread_subscriptions'
const STICKY = 'org.matrix.msc4354.sticky_events'
const PROFILES = 'org.matrix.msc4262.profiles'

/** Returns a request of sliding sync whose extension has a null inside. */
function slidingExtension(name: string, extensions: object, status: 200 | 400) {
  const path = () => '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync'
  const code = status === 200 ? undefined : 'M_INVALID_PARAM'
  return [[name, 'POST', path, { extensions }, status, code]] as const
}

/** Returns a body in which one member is null, or absent. */
function changed(body: object, path: string, isNull: boolean): object {
  const copy = structuredClone(body)
  let at = copy as Record<string, unknown>
  let last = path
  // Names have dots; the longest that stands there is a step.
  for (let name = stepIn(at, last); name !== undefined && name !== last; name = stepIn(at, last)) {
    last = last.slice(name.length + 1)
    at = at[name === '{}' || name === '[]' ? (Object.keys(at)[0] ?? '') : name] as Record<string, unknown>
  }
  if (isNull) at[last] = null
  else delete at[last]
  return copy
}

describe('null in a body', () => {
  let server: TestServer
  let users: Awaited<ReturnType<TestServer['register']>>[]
  let serial = 0
  before(async () => {
    server = await testServer()
    users = [await server.register('alice'), await server.register('bob')]
  })
  after(() => server.close())

  async function scene(): Promise<Scene> {
    serial++
    const [alice, bob] = users
    assert.ok(alice && bob)
    const call = async (method: string, path: string, token: string, body: object) =>
      (await server.call(method, `/_matrix/client/v3/${path}`, { token, body })).body
    const options = {
      preset: 'public_chat',
      room_version: '11',
      initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'public' } }],
    }
    const roomId = String((await call('POST', 'createRoom', alice.token, options))['room_id'])
    await call('POST', `join/${roomId}`, bob.token, {})
    const sent = await call('PUT', `rooms/${roomId}/send/m.room.message/1`, alice.token, {
      msgtype: 'm.text',
      body: 'a',
    })
    return {
      server,
      serial,
      token: alice.token,
      deviceId: alice.deviceId,
      alice: alice.userId,
      bob: bob.userId,
      bobToken: bob.token,
      roomId,
      eventId: String(sent['event_id']),
    }
  }

  async function ask(id: string, change: (body: object) => object): Promise<Answer> {
    const here = await scene()
    const [path, body = {}, token = here.token] = (await { ...EXAMPLES, ...SLIDING }[id]?.(here)) ?? ['']
    return server.call(endpoints.get(id)?.method ?? '', path.startsWith('/') ? path : `/_matrix/client/v3/${path}`, {
      ...(token === '' ? {} : { token }),
      body: change(body),
    })
  }

  test('has one known meaning for each optional member of each endpoint', () => {
    const found = [...endpoints].flatMap(([id, { body }]) => {
      const members = body ? optionalMembers(body) : []
      return members.length === 0 || UNSETTLED.has(id) || ELSEWHERE.has(id)
        ? []
        : [[id, Object.fromEntries(members)] as const]
    })
    assert.deepEqual(Object.fromEntries(found), NULL_MEANINGS)
  })

  for (const [id, members] of Object.entries(NULL_MEANINGS)) {
    for (const [path, meaning] of Object.entries(members)) {
      test(`is ${meaning === 'absent' ? 'read as absence of' : 'refused as'} ${path} of ${id}`, async () => {
        const { status, body } = await ask(id, (example) => changed(example, path, true))
        if (meaning === 'refused') return assert.deepEqual([status, body['errcode']], [400, 'M_BAD_JSON'])
        const without = await ask(id, (example) => changed(example, path, false))
        assert.deepEqual(
          [status, body['errcode'], body['error']],
          [without.status, without.body['errcode'], without.body['error']],
        )
        assert.notEqual(body['errcode'], 'M_BAD_JSON')
      })
    }
  }

  const others = [
    [
      'a display name',
      'PUT',
      ({ alice }: Scene) => `profile/${alice}/displayname`,
      { displayname: null },
      400,
      'M_INVALID_PARAM',
    ],
    [
      'an avatar',
      'PUT',
      ({ alice }: Scene) => `profile/${alice}/avatar_url`,
      { avatar_url: null },
      400,
      'M_INVALID_PARAM',
    ],
    [
      'the order of a tag',
      'PUT',
      ({ alice, roomId }: Scene) => `user/${alice}/rooms/${roomId}/tags/m.a`,
      { order: null },
      200,
      undefined,
    ],
    [
      'a thread of a receipt',
      'POST',
      ({ roomId, eventId }: Scene) => `rooms/${roomId}/receipt/m.read/${eventId}`,
      { thread_id: null },
      400,
      'M_INVALID_PARAM',
    ],
    [
      'conditions of a push rule',
      'PUT',
      () => 'pushrules/global/override/a',
      { actions: [], conditions: null },
      400,
      'M_BAD_JSON',
    ],
    [
      'a limit of a filter',
      'POST',
      ({ alice }: Scene) => `user/${alice}/filter`,
      { room: { timeline: { limit: null } } },
      400,
      'M_BAD_JSON',
    ],
    ...slidingExtension('lists of an extension', { receipts: { enabled: true, lists: null } }, 200),
    ...slidingExtension('rooms of an extension', { typing: { enabled: true, rooms: null } }, 200),
    ...slidingExtension('since of to_device', { to_device: { enabled: true, since: null } }, 200),
    ...slidingExtension('limit of to_device', { to_device: { enabled: true, limit: null } }, 400),
    ...slidingExtension('limit of threads', { [THREADS]: { enabled: true, limit: null } }, 400),
    ...slidingExtension('limit of sticky events', { [STICKY]: { enabled: true, limit: null } }, 400),
    ...slidingExtension('since of sticky events', { [STICKY]: { enabled: true, since: null } }, 400),
    ...slidingExtension('fields of profiles', { [PROFILES]: { enabled: true, fields: null } }, 400),
  ] as const
  for (const [name, method, pathIn, body, status, code] of others) {
    test(`is ${status === 200 ? 'taken' : 'refused'} as ${name}, which is checked outside of the schemas`, async () => {
      const here = await scene()
      const path = pathIn(here)
      const url = path.startsWith('/') ? path : `/_matrix/client/v3/${path}`
      const answer = await server.call(method, url, { token: here.token, body })
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }
})
