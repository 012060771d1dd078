// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { testServer } from '@myelin/testing/server'
import type { Answer, TestServer } from '@myelin/testing/server'
import type { TSchema } from 'typebox'
import { endpointsOf } from './endpoints.ts'
import { NULL_IS_ABSENT } from '../optional-or-null.ts'

/** The meaning of `null` for an optional member: the same as its absence, or an error. */
type Meaning = 'absent' | 'refused'

/**
 * The optional members of the bodies of all endpoints for clients, each with the meaning that `null` has in Synapse 1.163. An
 * error 500 there is a refusal here.
 */
const MEANINGS: Readonly<Record<string, Readonly<Record<string, Meaning>>>> = {
  changePassword: { auth: 'absent', new_password: 'absent', logout_devices: 'refused' },
  deactivateAccount: { auth: 'absent', erase: 'refused' },
  register: {
    auth: 'absent',
    username: 'refused',
    password: 'absent',
    device_id: 'absent',
    initial_device_display_name: 'absent',
    inhibit_login: 'absent',
    refresh_token: 'refused',
  },
  synapseRegisterBySecret: { admin: 'absent', user_type: 'absent', displayname: 'absent', inhibit_login: 'absent' },
  deleteDevice: { auth: 'absent' },
  deleteDevices: { auth: 'absent' },
  updateDevice: { display_name: 'absent' },
  queryPublicRooms: {
    limit: 'refused',
    since: 'absent',
    filter: 'absent',
    'filter.generic_search_term': 'absent',
    'filter.room_types': 'absent',
    include_all_networks: 'absent',
    third_party_instance_id: 'absent',
  },
  searchUserDirectory: { limit: 'refused' },
  setRoomVisibilityOnDirectory: { visibility: 'refused' },
  redactEvent: { reason: 'absent', with_rel_types: 'absent', 'org.matrix.msc3912.with_relations': 'absent' },
  claimKeys: { timeout: 'absent' },
  queryDehydratedDeviceEvents: { next_batch: 'absent' },
  queryKeys: { timeout: 'absent' },
  uploadCrossSigningKeys: {
    auth: 'absent',
    master_key: 'absent',
    'master_key.signatures': 'refused',
    self_signing_key: 'absent',
    'self_signing_key.signatures': 'refused',
    user_signing_key: 'absent',
    'user_signing_key.signatures': 'refused',
  },
  uploadKeys: { device_keys: 'refused', one_time_keys: 'absent', fallback_keys: 'absent' },
  ban: { reason: 'absent', 'org.matrix.msc4293.redact_events': 'absent' },
  kick: { reason: 'absent', 'org.matrix.msc4293.redact_events': 'absent' },
  unban: { reason: 'absent' },
  inviteUser: { reason: 'absent' },
  joinRoomById: { reason: 'absent' },
  joinRoom: { reason: 'absent' },
  knockRoom: { reason: 'absent' },
  leaveRoom: { reason: 'absent' },
  setDehydratedDevice: { initial_device_display_name: 'absent', one_time_keys: 'absent', fallback_keys: 'absent' },
  setPresence: { status_msg: 'refused' },
  setReadMarker: { 'm.fully_read': 'absent', 'm.read': 'absent', 'm.read.private': 'absent' },
  reportEvent: { reason: 'refused' },
  putRoomKeysVersion: { version: 'refused' },
  createRoom: {
    visibility: 'absent',
    room_alias_name: 'refused',
    name: 'refused',
    topic: 'refused',
    invite: 'refused',
    invite_3pid: 'refused',
    room_version: 'refused',
    creation_content: 'refused',
    initial_state: 'refused',
    'initial_state.[].state_key': 'refused',
    preset: 'refused',
    is_direct: 'absent',
    power_level_content_override: 'absent',
  },
  upgradeRoom: { additional_creators: 'absent' },
  login: {
    identifier: 'absent',
    user: 'absent',
    address: 'absent',
    password: 'absent',
    device_id: 'absent',
    initial_device_display_name: 'absent',
    refresh_token: 'refused',
  },
  setTyping: { timeout: 'refused' },
  postPusher: {
    app_display_name: 'refused',
    device_display_name: 'refused',
    profile_tag: 'absent',
    lang: 'refused',
    data: 'refused',
    append: 'absent',
    enabled: 'refused',
    'org.matrix.msc3881.enabled': 'refused',
  },
  scheduleDelayedEvent: {
    state_key: 'refused',
    sticky_duration_ms: 'refused',
    'org.matrix.msc4354.sticky_duration_ms': 'refused',
  },
}

/** Endpoints of unstable features, whose bodies still change; each refuses null or reads it as absence, as its schema says. */
const UNSETTLED: ReadonlySet<string> = new Set([
  'delegateDelayedLeave',
  'getLivekitToken',
  'getMemberToken',
  'getSfuAccess',
  'setThreadSubscription',
  'simplifiedSync',
  'syncV4',
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
  deleteDevice: ({ deviceId }) => [`devices/${deviceId}`],
  deleteDevices: ({ deviceId }) => ['delete_devices', { devices: [deviceId] }],
  updateDevice: ({ deviceId }) => [`devices/${deviceId}`],
  queryPublicRooms: () => ['publicRooms', { filter: {} }],
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

const endpoints = new Map(endpointsOf(['client']).map((endpoint) => [endpoint.id, endpoint]))

/** Returns the optional members of a schema, with the meaning of `null` that it has. */
function optionalMembers(schema: TSchema, path = ''): (readonly [string, Meaning])[] {
  const {
    properties = {},
    required = [],
    items,
  } = schema as unknown as {
    readonly properties?: Readonly<Record<string, TSchema>>
    readonly required?: readonly string[]
    readonly items?: TSchema
  }
  const own = Object.entries(properties).flatMap(([name, member]) => {
    const isAbsent = NULL_IS_ABSENT in member
    const { anyOf } = member as { readonly anyOf?: readonly TSchema[] }
    const inside = optionalMembers(isAbsent ? (anyOf?.[0] ?? member) : member, `${path}${name}.`)
    const meaning: Meaning = isAbsent ? 'absent' : 'refused'
    return required.includes(name) ? inside : [[`${path}${name}`, meaning] as const, ...inside]
  })
  return items ? [...own, ...optionalMembers(items, `${path}[].`)] : own
}

/** Returns a body in which one member is null, or absent. */
function changed(body: object, path: string, isNull: boolean): object {
  const copy = structuredClone(body)
  const names = path.split('.[].').flatMap((part, index) => (index === 0 ? [part] : ['0', part]))
  const steps = names.flatMap((name) =>
    Object.keys(copy).includes(name) || name.startsWith('org.') || name.startsWith('m.') ? [name] : name.split('.'),
  )
  let at = copy as Record<string, unknown>
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string, unknown>
  const last = steps.at(-1) ?? ''
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
    const [path, body = {}, token = here.token] = (await EXAMPLES[id]?.(here)) ?? ['']
    return server.call(endpoints.get(id)?.method ?? '', path.startsWith('/') ? path : `/_matrix/client/v3/${path}`, {
      ...(token === '' ? {} : { token }),
      body: change(body),
    })
  }

  test('has one known meaning for each optional member of each endpoint', () => {
    const found = [...endpoints].flatMap(([id, { body }]) => {
      const members = body ? optionalMembers(body) : []
      return members.length === 0 || UNSETTLED.has(id) ? [] : [[id, Object.fromEntries(members)] as const]
    })
    assert.deepEqual(Object.fromEntries(found), MEANINGS)
  })

  for (const [id, members] of Object.entries(MEANINGS)) {
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
  ] as const
  for (const [name, method, pathIn, body, status, code] of others) {
    test(`is ${status === 200 ? 'taken' : 'refused'} as ${name}, which is checked outside of the schemas`, async () => {
      const here = await scene()
      const answer = await server.call(method, `/_matrix/client/v3/${pathIn(here)}`, { token: here.token, body })
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }
})
