// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { ALL, OLDER, slidingStage, typesOf } from '../../stages/sliding-stage.ts'

const NEWER = {
  timeline_limit: 5,
  required_state: { include: [{ type: 'm.room.name' }, { type: 'm.room.topic', state_key: '' }], lazy_members: true },
}
const newer = { lists: { all: { range: [0, 19], ...NEWER } } }

onEveryDatabase('a room in sliding sync', (open) => {
  test('is shown with stripped state to the invited, and goes with the rejection', async (t) => {
    const { alice, bob, room, move, client } = await slidingStage(open, t)
    const roomId = await room(alice, { preset: 'private_chat', name: 'secret' })
    const phones = [client(bob), client(bob, 'v4', 'newer')] as const
    await phones[0].sync(ALL)
    await phones[1].sync(newer)
    await move(alice, roomId, 'invite', { user_id: bob.userId })
    const older = (await phones[0].sync(ALL)).rooms[roomId]
    const entry = (await phones[1].sync(newer)).rooms[roomId]
    for (const state of [older?.invite_state, entry?.stripped_state]) {
      const types = state?.map(({ type }) => type) ?? []
      assert.ok(types.includes('m.room.name') && types.includes('m.room.create'))
    }
    assert.deepEqual([entry?.membership, entry?.lists, entry?.initial], ['invite', ['all'], true])
    assert.equal('notification_count' in (entry ?? {}), false)
    assert.equal(older?.timeline, undefined)
    const invites = { lists: { all: { ranges: [[0, 9]], ...OLDER, filters: { is_invite: true } } } }
    assert.equal((await client(bob, 'msc3575', 'invites').sync(invites)).lists?.['all']?.count, 1)

    await move(bob, roomId, 'leave')
    const left = (await phones[0].sync(ALL)).rooms[roomId]
    assert.equal(left?.invite_state, undefined)
    assert.deepEqual(
      left?.required_state?.map(({ content }) => content?.['membership']),
      ['leave'],
    )
    const rejected = (await phones[1].sync(newer)).rooms[roomId]
    assert.deepEqual([rejected?.membership, rejected?.required_state], ['leave', undefined])
    assert.ok(rejected?.stripped_state?.some(({ type }) => type === 'm.room.member'))
  })

  test('shows nothing from after the user left', async (t) => {
    const { alice, bob, room, say, state, move, client } = await slidingStage(open, t)
    const roomId = await room(alice, { name: 'left' })
    await move(bob, roomId, 'join')
    const request = {
      lists: ALL.lists,
      room_subscriptions: { [roomId]: { timeline_limit: 10, required_state: [['*', '*']] } },
    }
    const phone = client(bob)
    await phone.sync(request)
    const seen = await say(alice, roomId, 'before')
    await move(bob, roomId, 'leave')
    await say(alice, roomId, 'after')
    await state(alice, roomId, 'm.room.topic', { topic: 'after' })
    const entry = (await phone.sync(request)).rooms[roomId]
    const ids = entry?.timeline?.map(({ event_id: id }) => id) ?? []
    assert.deepEqual([ids.length, ids[0]], [2, seen])
    assert.deepEqual(typesOf(entry), ['m.room.member'])
    await say(alice, roomId, 'later')
    assert.deepEqual((await phone.sync(request)).rooms, {})
    // A room that somebody left is not shown to a connection that did not have it.
    assert.deepEqual((await client(bob, 'msc3575', 'new').sync(request)).rooms, {})
  })

  test('is shown to a user who was removed, also on a new connection', async (t) => {
    const { alice, bob, room, say, move, client } = await slidingStage(open, t)
    const [kicked, banned] = [await room(alice, { name: 'kicked' }), await room(alice, { name: 'banned' })]
    await move(bob, kicked, 'join')
    await move(alice, kicked, 'kick', { user_id: bob.userId })
    await move(alice, banned, 'ban', { user_id: bob.userId })
    await say(alice, kicked, 'after')
    const { rooms, lists } = await client(bob).sync(ALL)
    // A ban of somebody who was never there is none of their business.
    assert.deepEqual([Object.keys(rooms), lists?.['all']?.count], [[kicked], 1])
    const own = rooms[kicked]?.required_state?.filter(({ state_key: key }) => key === bob.userId)
    assert.deepEqual(
      own?.map(({ content }) => content?.['membership']),
      ['leave'],
    )
    assert.deepEqual(
      rooms[kicked]?.timeline?.map(({ type }) => type),
      ['m.room.member'],
    )
  })

  test('has more of its timeline and its state where more is asked for', async (t) => {
    const { alice, room, say, state, client } = await slidingStage(open, t)
    const roomId = await room(alice, { name: 'open' })
    await state(alice, roomId, 'm.room.topic', { topic: 'topic' })
    const ids = [await say(alice, roomId), await say(alice, roomId), await say(alice, roomId)]
    const phone = client(alice)
    const named = [['m.room.name', '']]
    await phone.sync({ lists: { all: { ranges: [[0, 9]], timeline_limit: 1, required_state: named } } })
    const both = [
      ['m.room.name', ''],
      ['m.room.topic', ''],
    ]
    const request = { room_subscriptions: { [roomId]: { timeline_limit: 3, required_state: both } } }
    const entry = (await phone.sync(request)).rooms[roomId]
    assert.deepEqual([entry?.unstable_expanded_timeline, entry?.initial, entry?.num_live], [true, undefined, 0])
    assert.deepEqual(
      entry?.timeline?.map(({ event_id: id }) => id),
      ids,
    )
    assert.deepEqual(typesOf(entry), ['m.room.topic'])
    assert.deepEqual((await phone.sync(request)).rooms, {})
    const newerPhone = client(alice, 'v4')
    const few = { timeline_limit: 1, required_state: {} }
    await newerPhone.sync({ room_subscriptions: { [roomId]: few } })
    const more = await newerPhone.sync({ room_subscriptions: { [roomId]: { ...few, timeline_limit: 2 } } })
    assert.equal(more.rooms[roomId]?.expanded_timeline, true)
    assert.equal(more.rooms[roomId].lists, undefined)
  })

  test('sends members as the timeline needs them, each once', async (t) => {
    const { alice, bob, room, say, move, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    await move(bob, roomId, 'join')
    await say(alice, roomId)
    const phone = client(alice)
    const membersIn = async () => {
      const entry = (await phone.sync(ALL)).rooms[roomId]
      return (entry?.required_state ?? []).flatMap(({ type, state_key: key }) =>
        type === 'm.room.member' ? [key] : [],
      )
    }
    assert.deepEqual(await membersIn(), [alice.userId])
    await say(bob, roomId)
    assert.deepEqual(await membersIn(), [bob.userId])
    await say(bob, roomId)
    assert.deepEqual(await membersIn(), [])
  })

  test('names and avatars that are no text break nothing', async (t) => {
    const { alice, bob, room, state, move, client } = await slidingStage(open, t)
    const roomId = await room(alice, { power_level_content_override: { state_default: 0, events: {} } })
    await move(bob, roomId, 'join')
    await state(bob, roomId, 'm.room.name', { name: ['no', 'text'] })
    await state(bob, roomId, 'm.room.avatar', { url: { no: 'text' } })
    await state(bob, roomId, 'm.room.member', { membership: 'join', displayname: 7, avatar_url: {} }, bob.userId)
    const entry = (await client(alice).sync(ALL)).rooms[roomId]
    assert.deepEqual([entry?.name, entry?.avatar, entry?.heroes], [undefined, undefined, [{ user_id: bob.userId }]])
  })

  test('loses its name and avatar in the newer dialect', async (t) => {
    const { alice, room, state, client } = await slidingStage(open, t)
    const roomId = await room(alice, { name: 'named' })
    await state(alice, roomId, 'm.room.avatar', { url: 'mxc://one.test/avatar' })
    const phone = client(alice, 'v4')
    const first = (await phone.sync(newer)).rooms[roomId]
    assert.deepEqual([first?.name, first?.avatar], ['named', 'mxc://one.test/avatar'])
    await state(alice, roomId, 'm.room.name', {})
    await state(alice, roomId, 'm.room.avatar', {})
    const entry = (await phone.sync(newer)).rooms[roomId]
    assert.deepEqual([entry?.name, entry?.avatar, entry?.membership], [null, null, 'join'])
    assert.deepEqual(typesOf(entry), ['m.room.name'])
  })

  test('is chosen by the filters of a list', async (t) => {
    const { alice, bob, room, state, call, client } = await slidingStage(open, t)
    const plain = await room(alice, { name: 'Plain talk' })
    const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }
    const secret = await room(alice, { name: 'Secret', initial_state: [encryption] })
    const space = await room(alice, { name: 'Space', creation_content: { type: 'm.space' } })
    await state(alice, space, 'm.space.child', { via: ['one.test'] }, secret)
    await state(alice, space, 'm.space.child', {}, plain)
    await call('PUT', `user/${alice.userId}/rooms/${plain}/tags/m.favourite`, alice, {})
    await call('PUT', `user/${alice.userId}/account_data/m.direct`, alice, { [bob.userId]: [plain] })
    const phone = client(alice)
    const matching = async (filters: object) => {
      phone.pos = undefined
      const { lists } = await phone.sync({ lists: { all: { ranges: [[0, 9]], ...OLDER, filters } } })
      return lists?.['all']?.ops?.[0]?.room_ids.toSorted()
    }
    const cases: [object, string[]][] = [
      [{}, [plain, secret, space]],
      [{ is_dm: true }, [plain]],
      [{ is_dm: false }, [secret, space]],
      [{ is_encrypted: true }, [secret]],
      [{ is_encrypted: false }, [plain, space]],
      [{ room_types: ['m.space'] }, [space]],
      [{ room_types: [null] }, [plain, secret]],
      [{ not_room_types: ['m.space'] }, [plain, secret]],
      [{ room_types: ['m.space'], not_room_types: ['m.space'] }, []],
      [{ tags: ['m.favourite'] }, [plain]],
      [{ not_tags: ['m.favourite'] }, [secret, space]],
      [{ spaces: [space, '!unknown:one.test'] }, [secret]],
      [{ room_name_like: 'PLAIN' }, [plain]],
      [{ is_invite: true }, []],
      [{ is_encrypted: false, is_dm: true }, [plain]],
    ]
    for (const [filters, rooms] of cases)
      assert.deepEqual(await matching(filters), rooms.toSorted(), JSON.stringify(filters))
    phone.pos = undefined
    const rooms = (await phone.sync({ lists: { all: { ranges: [[0, 9]], ...OLDER } } })).rooms
    assert.equal(rooms[plain]?.is_dm, true)
    assert.equal(rooms[secret]?.is_dm, undefined)
    await call('PUT', `user/${alice.userId}/account_data/m.direct`, alice, { [bob.userId]: [secret] })
    const changed = (await phone.sync({ lists: { all: { ranges: [[0, 9]], ...OLDER } } })).rooms
    assert.deepEqual([changed[plain]?.is_dm, changed[secret]?.is_dm], [false, true])
  })

  test('is refused in requests that are not well-formed', async (t) => {
    const { alice, room, client, server } = await slidingStage(open, t)
    const roomId = await room(alice)
    const list = { ranges: [[0, 1]], ...OLDER }
    const v4List = { range: [0, 1], ...NEWER }
    const many = <Value>(count: number, value: Value, prefix = 'l') =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]))
    const older: [object, string][] = [
      [{ lists: many(101, list) }, 'M_INVALID_PARAM'],
      [{ lists: { a: { ranges: [[0, 1]], required_state: [] } } }, 'M_MISSING_PARAM'],
      [{ lists: { a: { ...list, ranges: [[0]] } } }, 'M_BAD_JSON'],
      [{ lists: { a: { ...list, ranges: [[-1, 2]] } } }, 'M_BAD_JSON'],
      [{ lists: { a: { ...list, timeline_limit: 1001 } } }, 'M_BAD_JSON'],
      [{ lists: { a: { ...list, required_state: [['m.room.name']] } } }, 'M_BAD_JSON'],
      [{ extensions: { to_device: { enabled: true, since: 'x' } } }, 'M_INVALID_PARAM'],
      [{ extensions: { typing: { enabled: true, rooms: 'all' } } }, 'M_INVALID_PARAM'],
      [{ conn_id: 'a\u0000b' }, 'M_BAD_JSON'],
    ]
    for (const [request, code] of older)
      assert.equal((await client(alice).ask(request)).body['errcode'], code, JSON.stringify(request))
    const newerOnes: [object, string][] = [
      [{ lists: many(101, v4List) }, 'M_INVALID_PARAM'],
      [{ lists: { 'not opaque!': v4List } }, 'M_INVALID_PARAM'],
      [{ room_subscriptions: many(101, NEWER, '!r') }, 'M_INVALID_PARAM'],
      [{ lists: { a: { range: [0, 1], timeline_limit: 1 } } }, 'M_MISSING_PARAM'],
      [{ set_presence: 'asleep' }, 'M_INVALID_PARAM'],
    ]
    for (const [request, code] of newerOnes)
      assert.equal((await client(alice, 'v4').ask(request)).body['errcode'], code, JSON.stringify(request))
    const unknown = { room_subscriptions: { '!nowhere:one.test': NEWER, [roomId]: NEWER }, extensions: { 'x.y': {} } }
    assert.deepEqual(Object.keys((await client(alice, 'v4').sync(unknown)).rooms), [roomId])
    const rows = await server.rt.db.read.selectFrom('sliding_connections').selectAll().execute()
    assert.equal(rows.length, 1)
    const versions = await server.call('GET', '/_matrix/client/versions')
    const { unstable_features: flags } = versions.body as { unstable_features: Record<string, boolean> }
    assert.equal(flags['org.matrix.simplified_msc3575'], true)
  })
})
