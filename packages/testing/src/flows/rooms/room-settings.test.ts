// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
type Person = { readonly userId: string; readonly token: string }

/** Returns a server with settings of rooms, and a caller that returns the body or the error code. */
async function serverWith(
  open: Parameters<typeof testServer>[0],
  rooms: Partial<typeof testConfig.rooms>,
  directory: Partial<typeof testConfig.directory> = {},
  profiles: Partial<typeof testConfig.profiles> = {},
) {
  const server = await testServer(open, {
    rooms: { ...testConfig.rooms, ...rooms },
    directory: { ...testConfig.directory, ...directory },
    profiles: { ...testConfig.profiles, ...profiles },
  })
  const call = async (who: Person | undefined, method: string, path: string, body?: unknown) => {
    const options = { ...(who ? { token: who.token } : {}), ...(body === undefined ? {} : { body }) }
    const answer = await server.call(method, `${v3}/${path}`, options)
    return answer.status === 200 ? answer.body : answer.body['errcode']
  }
  const create = async (who: Person, body: object) => {
    const made = (await call(who, 'POST', 'createRoom', body)) as { room_id?: string } | string
    return typeof made === 'string' ? made : encodeURIComponent(String(made.room_id))
  }
  return { server, call, create }
}

const member = (body: unknown, name: string) => (body as Record<string, unknown>)[name]

onEveryDatabase('a setting of rooms', (open) => {
  test('changes the power levels of new rooms by preset; the client’s own come after it', async (t) => {
    const powerLevels = { public_chat: { invite: 30, events: { 'm.room.name': 77 } } }
    const { server, call, create } = await serverWith(open, { powerLevels })
    t.after(() => server.close())
    const alice = await server.register('alice')
    const levels = async (body: object) =>
      call(alice, 'GET', `rooms/${await create(alice, body)}/state/m.room.power_levels/`)
    const inPublic = await levels({ preset: 'public_chat' })
    assert.deepEqual([member(inPublic, 'invite'), member(inPublic, 'events')], [30, { 'm.room.name': 77 }])
    const own = await levels({ preset: 'public_chat', power_level_content_override: { invite: 10 } })
    assert.equal(member(own, 'invite'), 10)
    assert.equal(member(await levels({ preset: 'private_chat' }), 'invite'), 0)
  })

  test('encrypts new rooms of the named presets, and says so', async (t) => {
    const { server, call, create } = await serverWith(open, { encryptedPresets: ['private_chat'] })
    t.after(() => server.close())
    const alice = await server.register('alice')
    const encryption = async (body: object) =>
      call(alice, 'GET', `rooms/${await create(alice, body)}/state/m.room.encryption/`)
    assert.deepEqual(await encryption({}), { algorithm: 'm.megolm.v1.aes-sha2' })
    assert.equal(await encryption({ preset: 'public_chat' }), 'M_NOT_FOUND')
    const chosen = { type: 'm.room.encryption', content: { algorithm: 'org.example.other' } }
    assert.deepEqual(await encryption({ initial_state: [chosen] }), chosen.content)
    const { body } = await server.call('GET', '/_matrix/client/versions')
    const flags = body['unstable_features'] as Record<string, boolean>
    assert.deepEqual(
      [flags['io.element.e2ee_forced.private'], flags['io.element.e2ee_forced.public']],
      [true, undefined],
    )
  })

  test('leaves invites to admins of the server', async (t) => {
    const { server, call, create } = await serverWith(open, { blocksInvites: true })
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await create(alice, {})
    const state = `rooms/${room}/state/m.room.member/${encodeURIComponent(bob.userId)}`
    const invite = async () => [
      await call(alice, 'POST', `rooms/${room}/invite`, { user_id: bob.userId }),
      await call(alice, 'PUT', state, { membership: 'invite' }),
      await call(alice, 'POST', 'createRoom', { invite: [bob.userId] }),
    ]
    assert.deepEqual(await invite(), ['M_FORBIDDEN', 'M_FORBIDDEN', 'M_FORBIDDEN'])
    await makeAdmin(server, alice.userId)
    assert.ok((await invite()).every((answer) => typeof answer === 'object'))
  })

  test('strips the user’s own event in invites and knocks (MSC4319), or shows its ID and time', async (t) => {
    for (const datesOffers of [true, false]) {
      const { server, call, create } = await serverWith(open, { datesOffers })
      t.after(() => server.close())
      const [alice, bob] = [await server.register('alice'), await server.register('bob')]
      const rule = { type: 'm.room.join_rules', content: { join_rule: 'knock' } }
      const rooms = [
        await create(alice, { invite: [bob.userId] }),
        await create(alice, { initial_state: [rule] }),
      ] as const
      await call(bob, 'POST', `knock/${rooms[1]}`, {})
      const shown = member(await call(bob, 'GET', 'sync?timeout=0'), 'rooms')
      for (const [index, kind] of ['invite', 'knock'].entries()) {
        const entry = member(member(shown, kind), decodeURIComponent(rooms[index as 0 | 1]))
        const events = member(member(entry, `${kind}_state`), 'events') as Record<string, unknown>[]
        const own = events.find(({ state_key: key }) => key === bob.userId)
        assert.equal(own?.['type'], 'm.room.member')
        assert.equal('event_id' in own && 'origin_server_ts' in own, datesOffers)
        assert.equal('event_id' in own || 'origin_server_ts' in own, datesOffers)
      }
    }
  })

  test('forgets rooms that are left, and the client is told of the leave once', async (t) => {
    const { server, call, create } = await serverWith(open, { forgetsOnLeave: true })
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    for (const end of ['leave', 'kick', 'ban']) {
      const room = await create(alice, { preset: 'public_chat' })
      await call(bob, 'POST', `rooms/${room}/join`, {})
      const { next_batch: since } = (await call(bob, 'GET', 'sync?timeout=0')) as { next_batch: string }
      if (end === 'leave') await call(bob, 'POST', `rooms/${room}/leave`, {})
      else await call(alice, 'POST', `rooms/${room}/${end}`, { user_id: bob.userId })
      assert.equal(await call(bob, 'GET', `rooms/${room}/messages?dir=b`), 'M_FORBIDDEN', end)
      const part = member(await call(bob, 'GET', `sync?timeout=0&since=${since}`), 'rooms')
      assert.deepEqual(Object.keys(member(part, 'leave') as object), [decodeURIComponent(room)])
      const filter = encodeURIComponent(JSON.stringify({ room: { include_leave: true } }))
      const whole = member(await call(bob, 'GET', `sync?timeout=0&filter=${filter}`), 'rooms') as object | undefined
      assert.ok(!Object.hasOwn((whole && (member(whole, 'leave') as object)) ?? {}, decodeURIComponent(room)))
    }
    const capabilities = member(await call(bob, 'GET', 'capabilities'), 'capabilities')
    assert.deepEqual(member(capabilities, 'm.forget_forced_upon_leave'), { enabled: true })
  })

  test('says who may create aliases and publish rooms; the first rule that matches decides', async (t) => {
    const rule = (userId: string, alias: string, isAllowed: boolean) => ({ userId, roomId: '*', alias, isAllowed })
    const { server, call, create } = await serverWith(open, {
      aliasRules: [rule('*', '#bad*', false), rule('@alice:*', '*', true)],
      publicationRules: [rule('*', '#good*', true)],
    })
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const [ofAlice, ofBob] = [await create(alice, {}), await create(bob, {})]
    const alias = (who: Person, room: string, name: string) =>
      call(who, 'PUT', `directory/room/${encodeURIComponent(`#${name}:one.test`)}`, {
        room_id: decodeURIComponent(room),
      })
    const publish = (who: Person, room: string) =>
      call(who, 'PUT', `directory/list/room/${room}`, { visibility: 'public' })
    assert.equal(await alias(bob, ofBob, 'good'), 'M_FORBIDDEN')
    assert.equal(await alias(alice, ofAlice, 'bad'), 'M_FORBIDDEN')
    assert.equal(await publish(alice, ofAlice), 'M_FORBIDDEN')
    assert.deepEqual(await alias(alice, ofAlice, 'good'), {})
    assert.deepEqual(await publish(alice, ofAlice), {})
    assert.equal(await create(alice, { room_alias_name: 'bad2' }), 'M_FORBIDDEN')
    assert.equal(await create(alice, { visibility: 'public' }), 'M_FORBIDDEN')
    assert.notEqual(await create(alice, { visibility: 'public', room_alias_name: 'good2' }), 'M_FORBIDDEN')
  })

  test('lets others than members create aliases', async (t) => {
    const { server, call, create } = await serverWith(open, { aliasesNeedMembership: false })
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room_id = decodeURIComponent(await create(alice, {}))
    assert.deepEqual(await call(bob, 'PUT', 'directory/room/%23a:one.test', { room_id }), {})
    assert.equal(await call(bob, 'PUT', 'directory/room/%23b:one.test', { room_id: '!none:one.test' }), 'M_NOT_FOUND')
  })
})

onEveryDatabase('a setting of directories', (open) => {
  test('empties the room directory, or asks for a token', async (t) => {
    const [none, members] = [
      await serverWith(open, {}, { listsRooms: false }),
      await serverWith(open, {}, { listsRoomsWithoutToken: false }),
    ]
    t.after(() => Promise.all([none.server.close(), members.server.close()]))
    for (const { server, create } of [none, members])
      await create(await server.register('alice'), { visibility: 'public' })
    assert.deepEqual(await none.call(undefined, 'GET', 'publicRooms'), { chunk: [], total_room_count_estimate: 0 })
    assert.equal(await members.call(undefined, 'GET', 'publicRooms'), 'M_MISSING_TOKEN')
    const bob = await members.server.register('bob')
    assert.equal(member(await members.call(bob, 'GET', 'publicRooms'), 'total_room_count_estimate'), 1)
  })

  test('says whom a search for users finds', async () => {
    const found = async (directory: Partial<typeof testConfig.directory>, lock = false) => {
      const { server, call, create } = await serverWith(open, {}, directory)
      const [alice, bob] = [await server.register('alice'), await server.register('bob')]
      // The search knows users who are in a room.
      await create(bob, {})
      if (lock) {
        await makeAdmin(server, alice.userId)
        const path = `/_matrix/client/v1/admin/lock/${encodeURIComponent(bob.userId)}`
        await server.call('PUT', path, { token: alice.token, body: { locked: true } })
      }
      const body = await call(alice, 'POST', 'user_directory/search', { search_term: 'bob' })
      await server.close()
      return (member(body, 'results') as unknown[]).length
    }
    assert.equal(await found({}), 0)
    assert.equal(await found({ findsAllUsers: true }), 1)
    assert.equal(await found({ findsAllUsers: true, listsUsers: false }), 0)
    assert.equal(await found({ findsAllUsers: true }, true), 0)
    assert.equal(await found({ findsAllUsers: true, showsLockedUsers: true }, true), 1)
  })

  test('shows profiles to users with a token, or with a common room', async (t) => {
    const token = await serverWith(open, {}, {}, { requiresToken: true })
    const room = await serverWith(open, {}, {}, { requiresToken: true, requiresSharedRoom: true })
    t.after(() => Promise.all([token.server.close(), room.server.close()]))
    for (const { server, call, create } of [token, room]) {
      const [alice, bob] = [await server.register('alice'), await server.register('bob')]
      const isForRoom = server === room.server
      for (const path of [`profile/${alice.userId}`, `profile/${alice.userId}/displayname`]) {
        assert.equal(await call(undefined, 'GET', path), 'M_MISSING_TOKEN')
        const before = await call(bob, 'GET', path)
        if (isForRoom) assert.equal(before, 'M_FORBIDDEN')
        else assert.equal(member(before, 'displayname'), 'alice')
        assert.equal(member(await call(alice, 'GET', path), 'displayname'), 'alice')
      }
      await call(bob, 'POST', `rooms/${await create(alice, { preset: 'public_chat' })}/join`, {})
      assert.equal(member(await call(bob, 'GET', `profile/${alice.userId}`), 'displayname'), 'alice')
    }
  })
})

async function makeAdmin(server: TestServer, userId: string): Promise<void> {
  await server.rt.db.write(async (tx) => {
    await tx
      .updateTable('accounts')
      .set({ is_admin: 1 })
      .where('user_id', '=', userId as UserId)
      .execute()
    tx.touch(`account ${userId}`)
  })
}
