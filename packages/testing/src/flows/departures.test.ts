// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { roomNid } from '@myelin/storage/engine/names'
import { membershipIn, putMembership } from '@myelin/storage/rooms/members/members'
import { onEveryDatabase } from '../databases.ts'
import { path, post, stage, standing } from '../stages/federated-stage.ts'
import type { User } from '../stages/federated-stage.ts'
import { authorRoom } from '../room-author.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'
type Person = Awaited<ReturnType<TestServer['register']>>
type Event = { readonly type: string; readonly state_key?: string; readonly content: Record<string, unknown> }
type Entry = {
  readonly timeline: { readonly events: readonly Event[]; readonly limited: boolean }
  readonly state: { readonly events: readonly Event[] }
}
type Rooms = Readonly<Record<'join' | 'leave' | 'invite', Readonly<Record<string, Entry>>>>

async function sync(server: TestServer, { token }: Person, query = ''): Promise<{ rooms: Rooms; next: string }> {
  const { status, body } = await server.call('GET', `${v3}/sync?timeout=0${query}`, { token })
  assert.equal(status, 200)
  return { rooms: body['rooms'] as Rooms, next: String(body['next_batch']) }
}

const membershipsIn = (events: readonly Event[] = [], user = '') =>
  events.filter(({ state_key: key }) => key === user).map(({ content }) => content['membership'])
const filterOf = (json: unknown) => `&filter=${encodeURIComponent(JSON.stringify(json))}`

/** The ends of an invite to a room of another server. */
const ENDINGS: Readonly<
  Record<string, (at: { alice: User; bob: User; roomId: RoomId; partition: () => void }) => Promise<unknown>>
> = {
  'was rejected': ({ bob, roomId }) => post(bob, path(roomId, 'leave')),
  'was taken back': ({ alice, bob, roomId }) => post(alice, path(roomId, 'kick'), { user_id: bob.userId }),
  'was rejected while the other server is away': ({ bob, roomId, partition }) => {
    partition()
    return post(bob, path(roomId, 'leave'))
  },
}

onEveryDatabase('a left room', (open) => {
  for (const offer of ['invite', 'knock'] as const) {
    for (const [name, end] of Object.entries(ENDINGS)) {
      test(`of another server has the member's leave event where the ${offer} ${name}`, async (t) => {
        const { network, alice, bob, roomId } = await stage(open, {
          roomOptions: {
            preset: 'private_chat',
            initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'knock' } }],
          },
        })
        t.after(() => network.close())
        const offered =
          offer === 'invite'
            ? await post(alice, path(roomId, 'invite'), { user_id: bob.userId })
            : await post(bob, `knock/${encodeURIComponent(roomId)}?via=one.test`)
        assert.equal(offered.status, 200)
        await network.settle(async () => (await standing(bob, roomId, bob.userId)) === offer)
        const { next } = await sync(bob.server, bob)
        const partition = () => network.partition(['one.test'], ['two.test'])
        assert.equal(((await end({ alice, bob, roomId, partition })) as { status: number }).status, 200)
        await network.settle(async () => (await standing(bob, roomId, bob.userId)) === 'leave')
        const left = (await sync(bob.server, bob, `&since=${next}`)).rooms.leave[roomId]
        assert.deepEqual(membershipsIn(left?.timeline.events, bob.userId), ['leave'])
        assert.equal(left?.timeline.events.length, 1)
        const none = filterOf({ room: { timeline: { limit: 0 } } })
        const filtered = (await sync(bob.server, bob, `&since=${next}${none}`)).rooms.leave[roomId]
        assert.deepEqual(filtered?.timeline.events, [])
        assert.deepEqual(membershipsIn(filtered?.state.events, bob.userId), ['leave'])
      })
    }
  }

  test('that one device has forgotten is still sent to the others, once', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const bob = await server.register('bob')
    const room = await authorRoom(server.rt, bob.userId)
    const { next: since } = await sync(server, bob)
    for (const step of ['leave', 'forget']) {
      const way = `${v3}/rooms/${encodeURIComponent(room.roomId)}/${step}`
      assert.equal((await server.call('POST', way, { token: bob.token, body: {} })).status, 200)
    }
    const { rooms, next } = await sync(server, bob, `&since=${since}`)
    assert.deepEqual(membershipsIn(rooms.leave[room.roomId]?.timeline.events, bob.userId), ['leave'])
    assert.deepEqual((await sync(server, bob, `&since=${next}`)).rooms.leave, {})
    const withLeft = filterOf({ room: { include_leave: true } })
    assert.deepEqual((await sync(server, bob, withLeft)).rooms.leave, {}, 'a new device hears nothing of it')
  })

  test('that was joined and left between two syncs comes with its state and says what is missing', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat', name: 'The room' })
    const { next } = await sync(server, bob)
    await room.member(bob.userId, bob.userId, 'join')
    for (let count = 0; count < 3; count++) await room.say(alice.userId, 'inside')
    await room.member(bob.userId, bob.userId, 'leave')
    await room.send(alice.userId, 'm.room.topic', { topic: 'outside' }, '')
    const filter = filterOf({ room: { timeline: { limit: 2 } } })
    const left = (await sync(server, bob, `&since=${next}${filter}`)).rooms.leave[room.roomId]
    assert.equal(left?.timeline.limited, true)
    assert.deepEqual(membershipsIn(left.timeline.events, bob.userId), ['leave'])
    const types = left.state.events.map(({ type }) => type)
    for (const type of ['m.room.create', 'm.room.name', 'm.room.power_levels']) assert.ok(types.includes(type), type)
    assert.ok(!types.includes('m.room.topic'))
    assert.deepEqual(membershipsIn(left.state.events, bob.userId), ['join'])
  })

  test('that was left and then closed to the user has what they saw before, and how it ended', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
    await room.member(bob.userId, bob.userId, 'join')
    const { next } = await sync(server, bob)
    await room.say(alice.userId, 'inside')
    for (const end of ['ban', 'leave', 'invite', 'leave']) {
      await room.member(alice.userId, bob.userId, end)
      await room.say(alice.userId, 'outside')
    }
    const left = (await sync(server, bob, `&since=${next}`)).rooms.leave[room.roomId]
    assert.deepEqual(
      left?.timeline.events.map(({ content }) => content['body'] ?? content['membership']),
      ['inside', 'ban', 'leave', 'invite', 'leave'],
    )
  })

  test('that a resolution took the user out of, without an event, does not show their join as its end', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
    await room.member(bob.userId, bob.userId, 'join')
    const { next } = await sync(server, bob)
    await room.say(alice.userId, 'inside')
    await server.rt.db.write(async (tx) => {
      const [nid, standing] = [
        await roomNid(tx, room.roomId),
        await membershipIn(tx, room.roomId, bob.userId as UserId),
      ]
      assert.ok(nid !== undefined && standing)
      const now = { membership: 'leave', event: standing.eventNid, position: tx.takePosition() }
      await putMembership(tx, nid, bob.userId as UserId, now)
      tx.touch(bob.userId)
    })
    const left = (await sync(server, bob, `&since=${next}`)).rooms.leave[room.roomId]
    assert.deepEqual(
      left?.timeline.events.map(({ content }) => content['body']),
      ['inside'],
    )
  })

  test('has no entry where an ignored user offered it and took it back between two syncs', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId)
    const list = `${v3}/user/${bob.userId}/account_data/m.ignored_user_list`
    await server.call('PUT', list, { token: bob.token, body: { ignored_users: { [alice.userId]: {} } } })
    const { next } = await sync(server, bob)
    await room.member(alice.userId, bob.userId, 'invite')
    assert.deepEqual((await sync(server, bob, `&since=${next}`)).rooms.invite, {})
    await room.member(alice.userId, bob.userId, 'leave')
    assert.deepEqual((await sync(server, bob, `&since=${next}`)).rooms.leave, {})
  })
})
