// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { joinedServers } from '@myelin/storage/joined-servers'
import { membershipIn } from '@myelin/storage/members'
import { backwardExtremities } from '@myelin/storage/outliers'
import { roomTail } from '@myelin/storage/events'
import { namedState, roomById } from '@myelin/storage/rooms'
import { eventIdsByNid } from '@myelin/storage/served-events'
import { onEveryDatabase, openTemporarySqlite } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { ForeignAuthor } from '../foreign-author.ts'
import { testNetwork } from '../network.ts'
import type { TestNetwork } from '../network.ts'
import type { TestServer } from '../server.ts'

type User = Awaited<ReturnType<TestServer['register']>> & { readonly server: TestServer }

type Stage = {
  readonly network: TestNetwork
  readonly alice: User
  readonly bob: User
  readonly roomId: RoomId
}

const user = async (network: TestNetwork, name: string, server: string): Promise<User> => {
  const home = network.server(server)
  return { ...(await home.register(name)), server: home }
}

const post = (who: User, path: string, body: JsonObject = {}) =>
  who.server.call('POST', `/_matrix/client/v3/${path}`, { token: who.token, body })

const create = async (who: User, wishes: JsonObject): Promise<RoomId> => {
  const { status, body } = await post(who, 'createRoom', wishes)
  assert.equal(status, 200, JSON.stringify(body))
  return body['room_id'] as RoomId
}

const path = (roomId: RoomId, rest: string) => `rooms/${encodeURIComponent(roomId)}/${rest}`

const join = (who: User, room: string, via: readonly string[] = ['one.test']) =>
  post(who, `join/${encodeURIComponent(room)}?${via.map((server) => `via=${server}`).join('&')}`)

/** Alice of one.test has a public room; bob is of two.test. */
async function stage(open: OpenDatabase, options: { servers?: number; wishes?: JsonObject } = {}): Promise<Stage> {
  const network = await testNetwork({ servers: options.servers ?? 2, open })
  const alice = await user(network, 'alice', 'one.test')
  const bob = await user(network, 'bob', 'two.test')
  const roomId = await create(alice, { preset: 'public_chat', name: 'The room', ...options.wishes })
  return { network, alice, bob, roomId }
}

/** The ids of a room's state on a server. */
async function stateOn({ server }: User, roomId: RoomId): Promise<string[]> {
  const db = server.rt.db.read
  const row = await roomById(db, roomId)
  const state = await namedState(db, row?.stateRoot ?? 0)
  return (
    await eventIdsByNid(
      db,
      state.map(({ event }) => event),
    )
  ).toSorted()
}

/** The JSON of the newest event of a room, after something was done there. */
async function lastEvent({ server }: User, act: () => Promise<unknown>, roomId: RoomId): Promise<JsonObject> {
  await act()
  const row = await roomById(server.rt.db.read, roomId)
  const [event] = await roomTail(server.rt.db.read, roomId, row?.lastPosition ?? 0)
  return event?.pdu.json ?? {}
}

const sync = (who: User, since?: string) =>
  who.server.call('GET', `/_matrix/client/v3/sync${since === undefined ? '' : `?since=${since}`}`, { token: who.token })

/** What a user is shown of a room they are invited to or knock at. */
async function offered(who: User, kind: 'invite' | 'knock', roomId: RoomId): Promise<JsonObject[]> {
  const rooms = (await sync(who)).body['rooms'] as Record<string, Record<string, JsonObject>>
  const state = rooms[kind]?.[roomId]?.[`${kind}_state`] as { events: JsonObject[] } | undefined
  return state?.events ?? []
}

const standing = async ({ server }: User, roomId: RoomId, userId: string) =>
  (await membershipIn(server.rt.db.read, roomId, userId as UserId))?.membership

type Tamper = (answer: JsonObject, target: string) => JsonObject

const inTemplate =
  (change: (event: JsonObject) => JsonObject): Tamper =>
  (answer, target) =>
    target.includes('/make_join/') ? { ...answer, event: change(answer['event'] as JsonObject) } : answer
const inAnswer =
  (change: (answer: JsonObject) => JsonObject): Tamper =>
  (answer, target) =>
    target.includes('/send_join/') ? change(answer) : answer
const events = (answer: JsonObject, key: string) => answer[key] as readonly JsonObject[]

/** What a server may say that wants our signature on what is not ours, or us in a room that is none. */
const HOSTILE: Readonly<Record<string, Tamper>> = {
  'the template of another room': inTemplate((event) => ({ ...event, room_id: '!other:one.test' })),
  'the template of another sender': inTemplate((event) => ({ ...event, sender: '@mallory:two.test' })),
  'the template for another member': inTemplate((event) => ({ ...event, state_key: '@mallory:two.test' })),
  'the template of another type': inTemplate((event) => ({ ...event, type: 'm.room.power_levels' })),
  'the template of a leave': inTemplate((event) => ({ ...event, content: { membership: 'leave' } })),
  'a template without a place': inTemplate((event) => ({ ...event, prev_events: [] })),
  'a template with thousands of places': inTemplate((event) => ({
    ...event,
    prev_events: Array.from({ length: 5000 }, (_, at) => `$${String(at).padStart(43, 'a')}`),
  })),
  'a template that is none': inTemplate(() => ({})),
  'a version nobody knows': (answer) => ('room_version' in answer ? { ...answer, room_version: 'org.evil' } : answer),
  'another version than the create event names': (answer) =>
    'room_version' in answer ? { ...answer, room_version: '10' } : answer,
  'no state': inAnswer((answer) => ({ ...answer, state: [] })),
  'a state that is no list': inAnswer((answer) => ({ ...answer, state: {} })),
  'no auth chain and no create event': inAnswer((answer) => ({
    ...answer,
    auth_chain: [],
    state: events(answer, 'state').filter(({ type }) => type !== 'm.room.create'),
  })),
  'a create event that somebody changed': inAnswer((answer) => ({
    ...answer,
    auth_chain: [],
    state: events(answer, 'state').map((event) =>
      event['type'] === 'm.room.create'
        ? { ...event, content: { room_version: '11', creator: '@mallory:two.test' } }
        : event,
    ),
  })),
  'two events for one key': inAnswer((answer) => {
    const state = events(answer, 'state')
    const own = state.find(({ type }) => type === 'm.room.member') as JsonObject
    return { ...answer, state: [...state, own] }
  }),
  'a state that does not allow the join': inAnswer((answer) => ({
    ...answer,
    auth_chain: [],
    state: events(answer, 'state').filter(({ type }) => type !== 'm.room.join_rules'),
  })),
}

onEveryDatabase('rooms of several servers', (open) => {
  for (const version of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']) {
    test(`are joined through another server in version ${version}, and both then have one state`, async () => {
      const { network, alice, bob, roomId } = await stage(open, { wishes: { room_version: version } })
      const { status, body } = await join(bob, roomId)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      assert.equal(await standing(alice, roomId, bob.userId), 'join')
      const said = await bob.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'send/m.room.message/1')}`, {
        token: bob.token,
        body: { msgtype: 'm.text', body: 'hello' },
      })
      assert.equal(said.status, 200)
      await network.close()
    })
  }

  test('are joined by alias, and a sync then shows all of them', async () => {
    const { network, bob, roomId } = await stage(open, { wishes: { room_alias_name: 'meeting' } })
    const { status, body } = await join(bob, '#meeting:one.test', [])
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body['room_id'], roomId)
    const synced = await bob.server.call('GET', '/_matrix/client/v3/sync', { token: bob.token })
    const rooms = synced.body['rooms'] as { join: Record<string, { state: { events: { type: string }[] } }> }
    const types = rooms.join[roomId]?.state.events.map(({ type }) => type)
    assert.ok(types?.includes('m.room.name') && types.includes('m.room.create'))
    await network.close()
  })

  test('are asked of the next server where one does not answer, does not know them or refuses', async () => {
    const { network, bob, roomId } = await stage(open, { servers: 3 })
    const { status, body } = await join(bob, roomId, ['nowhere.test', 'three.test', 'one.test'])
    assert.equal(status, 200, JSON.stringify(body))
    const asked = network.crossings.filter(({ target }) => target.includes('/make_join/')).map(({ to }) => to)
    assert.deepEqual(asked, ['nowhere.test', 'three.test', 'one.test'])
    await network.close()
  })

  test('tell why nobody lets a user in', async () => {
    const { network, bob, roomId } = await stage(open, { wishes: { preset: 'private_chat' } })
    const refused = await join(bob, roomId)
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
    const unknown = await join(bob, '!nobody-knows:one.test')
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND'])
    network.partition(['one.test'], ['two.test'])
    const silent = await join(bob, roomId)
    assert.deepEqual([silent.status, silent.body['errcode']], [502, 'M_UNKNOWN'])
    assert.equal(await standing(bob, roomId, bob.userId), undefined)
    await network.close()
  })

  test('are fetched once where two users join at once', async () => {
    const { network, bob, roomId } = await stage(open)
    const carol = await user(network, 'carol', 'two.test')
    const answers = await Promise.all([join(bob, roomId), join(carol, roomId)])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    assert.equal(network.crossings.filter(({ target }) => target.includes('/send_join/')).length, 1)
    assert.equal(await standing(bob, roomId, carol.userId), 'join')
    await network.close()
  })

  test('start anew where everybody of a server left and somebody comes back', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    assert.equal((await join(bob, roomId)).status, 200)
    await new ForeignAuthor(alice.server, bob.server).send([
      await lastEvent(bob, () => post(bob, path(roomId, 'leave')), roomId),
    ])
    assert.equal(await standing(alice, roomId, bob.userId), 'leave')
    assert.equal((await post(alice, path(roomId, 'kick'), { user_id: bob.userId })).status, 403)
    const topic = await alice.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'state/m.room.topic/')}`, {
      token: alice.token,
      body: { topic: 'while you were away' },
    })
    assert.equal(topic.status, 200)
    const { status, body } = await join(bob, roomId)
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    const holes = await backwardExtremities(bob.server.rt.db.read, roomId)
    assert.ok(holes.some(({ eventId }) => eventId === topic.body['event_id']))
    const servers = await joinedServers(bob.server.rt.db.read, roomId)
    assert.deepEqual(Object.fromEntries(servers), { 'one.test': 1, 'two.test': 1 })
    await network.close()
  })

  for (const version of ['1', '6', '11', '12']) {
    test(`of version ${version} are shown to an invited user of another server, who accepts`, async () => {
      const { network, alice, bob, roomId } = await stage(open, {
        wishes: { preset: 'private_chat', room_version: version },
      })
      const invited = await post(alice, path(roomId, 'invite'), { user_id: bob.userId, reason: 'come in' })
      assert.equal(invited.status, 200, JSON.stringify(invited.body))
      const shown = new Map((await offered(bob, 'invite', roomId)).map((event) => [event['type'], event]))
      assert.equal(Object.keys(shown.get('m.room.name') ?? {}).length, 4)
      assert.ok(shown.has('m.room.create'))
      const { status, body } = await join(bob, roomId, [])
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      assert.deepEqual(await offered(bob, 'invite', roomId), [])
      await network.close()
    })
  }

  test('are made with invited users of other servers', async () => {
    const { network, alice, bob } = await stage(open)
    const roomId = await create(alice, { invite: [bob.userId, '@nobody:nowhere.test'], is_direct: true })
    assert.ok((await offered(bob, 'invite', roomId)).length > 0)
    assert.equal(await standing(alice, roomId, bob.userId), 'invite')
    assert.equal(await standing(alice, roomId, '@nobody:nowhere.test'), undefined)
    await network.close()
  })

  test('are left by who rejects an invite, there too', async () => {
    const { network, alice, bob, roomId } = await stage(open, { wishes: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    const { status, body } = await post(bob, path(roomId, 'leave'))
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(await standing(alice, roomId, bob.userId), 'leave')
    assert.deepEqual(await offered(bob, 'invite', roomId), [])
    assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
    assert.equal((await join(bob, roomId)).status, 403)
    await network.close()
  })

  test('are left by who rejects an invite where no server answers, and a sync says so', async () => {
    const { network, alice, bob, roomId } = await stage(open, { wishes: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    network.partition(['one.test'], ['two.test'])
    const since = String((await sync(bob)).body['next_batch'])
    assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
    assert.equal(await standing(bob, roomId, bob.userId), 'leave')
    const rooms = (await sync(bob, since)).body['rooms'] as Record<string, Record<string, JsonObject>>
    assert.ok(rooms['leave']?.[roomId])
    await network.close()
  })

  test('are not shown to who blocks invites, and whoever invited is told', async () => {
    const { network, alice, bob, roomId } = await stage(open, { wishes: { preset: 'private_chat' } })
    const setting = `user/${encodeURIComponent(bob.userId)}/account_data/m.invite_permission_config`
    const set = await bob.server.call('PUT', `/_matrix/client/v3/${setting}`, {
      token: bob.token,
      body: { default_action: 'block' },
    })
    assert.equal(set.status, 200)
    const { status, body } = await post(alice, path(roomId, 'invite'), { user_id: bob.userId })
    assert.deepEqual([status, body['errcode']], [403, 'M_INVITE_BLOCKED'])
    assert.equal(await standing(alice, roomId, bob.userId), undefined)
    const silent = await post(alice, path(roomId, 'invite'), { user_id: '@nobody:nowhere.test' })
    assert.deepEqual([silent.status, silent.body['errcode']], [502, 'M_UNKNOWN'])
    await network.close()
  })

  for (const version of ['7', '12']) {
    test(`of version ${version} are knocked at from another server; the knock is taken back, or answered with an invite`, async () => {
      const { network, alice, bob, roomId } = await stage(open, {
        wishes: {
          room_version: version,
          initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }],
        },
      })
      const knock = () => post(bob, `knock/${encodeURIComponent(roomId)}?via=one.test`, { reason: 'please' })
      const { status, body } = await knock()
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(await standing(alice, roomId, bob.userId), 'knock')
      const shown = (await offered(bob, 'knock', roomId)).map(({ type }) => type)
      assert.ok(shown.includes('m.room.name') && shown.includes('m.room.member'))
      assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
      assert.equal(await standing(alice, roomId, bob.userId), 'leave')
      assert.deepEqual(await offered(bob, 'knock', roomId), [])
      assert.equal((await knock()).status, 200)
      assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
      assert.deepEqual(await offered(bob, 'knock', roomId), [])
      assert.equal((await join(bob, roomId, [])).status, 200)
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      await network.close()
    })
  }

  test('that take no knocks refuse them, from here and from elsewhere', async () => {
    const { network, bob, roomId } = await stage(open)
    const carol = await user(network, 'carol', 'one.test')
    for (const who of [bob, carol]) {
      const { status, body } = await post(who, `knock/${encodeURIComponent(roomId)}?via=one.test`)
      assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
    }
    const unknown = await post(bob, `knock/${encodeURIComponent('!nobody-knows:one.test')}`)
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND'])
    await network.close()
  })

  test('that only members of another room may join take those in, with the signature of a server that may', async () => {
    const { network, alice, bob, roomId: space } = await stage(open, { servers: 3 })
    const carol = await user(network, 'carol', 'three.test')
    const rule = { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: space }] }
    const roomId = await create(alice, {
      initial_state: [{ type: 'm.room.join_rules', state_key: '', content: rule }],
    })
    const outside = await join(bob, roomId)
    assert.deepEqual([outside.status, outside.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.equal((await join(bob, space)).status, 200)
    const inside = await join(bob, roomId)
    assert.equal(inside.status, 200, JSON.stringify(inside.body))
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    // Two.test is in the room and in the space now, but nobody of it may invite: the next server is asked.
    const levels = await alice.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'state/m.room.power_levels/')}`, {
      token: alice.token,
      body: { users: {}, invite: 50 },
    })
    assert.equal(levels.status, 200, JSON.stringify(levels.body))
    const author = new ForeignAuthor(bob.server, alice.server)
    const row = await roomById(alice.server.rt.db.read, roomId)
    const [latest] = await roomTail(alice.server.rt.db.read, roomId, row?.lastPosition ?? 0)
    await author.send([latest?.pdu.json ?? {}])
    assert.equal((await join(carol, space)).status, 200)
    const through = await join(carol, roomId, ['two.test', 'one.test'])
    assert.equal(through.status, 200, JSON.stringify(through.body))
    assert.deepEqual(await stateOn(carol, roomId), await stateOn(alice, roomId))
    await network.close()
  })
})

describe('answers to a join', () => {
  for (const [name, tamper] of Object.entries(HOSTILE)) {
    test(`are not believed with ${name}, and the next server is asked`, async () => {
      const { network, alice, bob, roomId } = await stage(openTemporarySqlite, { servers: 3 })
      const carol = await user(network, 'carol', 'three.test')
      assert.equal((await join(carol, roomId)).status, 200)
      const { remote } = bob.server.rt
      const honest = remote.call.bind(remote)
      remote.call = async (server, call) => {
        const answer = await honest(server, call)
        const isJoin = server === 'one.test' && /\/(?:make|send)_join\//.test(call.target)
        return isJoin ? tamper(answer, call.target) : answer
      }
      const failed = await join(bob, roomId, ['one.test'])
      assert.equal(failed.status, 502, JSON.stringify(failed.body))
      assert.equal(await standing(bob, roomId, bob.userId), undefined)
      remote.call = async (server, call) =>
        server === 'one.test' ? tamper(await honest(server, call), call.target) : honest(server, call)
      assert.equal((await join(bob, roomId, ['one.test', 'three.test'])).status, 200)
      assert.ok((await stateOn(alice, roomId)).length > 0)
      await network.close()
    })
  }
})
