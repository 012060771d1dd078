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
