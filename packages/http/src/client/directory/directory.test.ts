// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
type Page = { chunk: { room_id: string; name?: string }[]; next_batch?: string; prev_batch?: string }

describe('the room directory', () => {
  let server: TestServer
  let tokens: Record<'alice' | 'bob' | 'admin', string>
  before(async () => {
    server = await testServer()
    const token = async (name: string) => (await server.register(name)).token
    tokens = { alice: await token('alice'), bob: await token('bob'), admin: await token('admin') }
    await server.rt.db.write(async (tx) => {
      await tx
        .updateTable('accounts')
        .set({ is_admin: 1 })
        .where('user_id', '=', '@admin:one.test' as never)
        .execute()
      tx.touch('account @admin:one.test')
    })
  })
  after(() => server.close())

  async function makeRoom(body: object = {}, token = tokens.alice): Promise<string> {
    server.rt.clock.advance(1)
    const answer = await server.call('POST', `${v3}/createRoom`, { token, body })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return String(answer.body['room_id'])
  }
  const enc = encodeURIComponent
  const join = (room: string, token: string) => server.call('POST', `${v3}/rooms/${enc(room)}/join`, { token })
  const directory = (method: string, alias: string, token?: string, body?: unknown) =>
    server.call(method, `${v3}/directory/room/${enc(alias)}`, { ...(token === undefined ? {} : { token }), body })
  const aliases = (room: string, token: string) => server.call('GET', `${v3}/rooms/${enc(room)}/aliases`, { token })
  const canonical = async (room: string, token: string) =>
    (await server.call('GET', `${v3}/rooms/${enc(room)}/state/m.room.canonical_alias`, { token })).body

  describe('has aliases that', () => {
    test('resolve to a room until they are deleted', async () => {
      const room = await makeRoom()
      const alias = '#a/bé:one.test'
      assert.deepEqual((await directory('PUT', alias, tokens.alice, { room_id: room })).body, {})
      assert.deepEqual((await directory('GET', alias)).body, { room_id: room, servers: ['one.test'] })
      assert.deepEqual((await aliases(room, tokens.alice)).body, { aliases: [alias] })
      assert.deepEqual((await directory('DELETE', alias, tokens.alice)).body, {})
      assert.equal((await directory('GET', alias)).body['errcode'], 'M_NOT_FOUND')
      assert.deepEqual((await aliases(room, tokens.alice)).body, { aliases: [] })
    })

    test('are removed from the canonical alias event when they are deleted', async () => {
      const room = await makeRoom({ preset: 'public_chat', room_alias_name: 'main' })
      await directory('PUT', '#other:one.test', tokens.alice, { room_id: room })
      await server.call('PUT', `${v3}/rooms/${enc(room)}/state/m.room.canonical_alias`, {
        token: tokens.alice,
        body: { alias: '#main:one.test', alt_aliases: ['#other:one.test', '#main:one.test'], more: 1 },
      })
      await directory('DELETE', '#main:one.test', tokens.alice)
      assert.deepEqual(await canonical(room, tokens.alice), { alt_aliases: ['#other:one.test'], more: 1 })
    })

    test('are deleted by their creator, also where the creator may not change the event', async () => {
      const room = await makeRoom({ preset: 'public_chat' })
      await join(room, tokens.bob)
      assert.equal((await directory('PUT', '#bobs:one.test', tokens.bob, { room_id: room })).status, 200)
      await server.call('PUT', `${v3}/rooms/${enc(room)}/state/m.room.canonical_alias`, {
        token: tokens.alice,
        body: { alias: '#bobs:one.test' },
      })
      assert.equal((await directory('DELETE', '#bobs:one.test', tokens.bob)).status, 200)
      assert.deepEqual(await canonical(room, tokens.alice), { alias: '#bobs:one.test' })
    })

    test('are deleted by admins of the room or the server, and by no others', async () => {
      const room = await makeRoom({ preset: 'public_chat' })
      await join(room, tokens.bob)
      for (const [name, giver, taker, status] of [
        ['one', tokens.alice, tokens.bob, 403],
        ['two', tokens.bob, tokens.alice, 200],
        ['three', tokens.alice, tokens.admin, 200],
      ] as const) {
        assert.equal((await directory('PUT', `#${name}:one.test`, giver, { room_id: room })).status, 200)
        assert.equal((await directory('DELETE', `#${name}:one.test`, taker)).status, status)
      }
    })

    test('are listed to members, and to all users of a world-readable room', async () => {
      const room = await makeRoom()
      assert.equal((await aliases(room, tokens.bob)).body['errcode'], 'M_FORBIDDEN')
      assert.equal((await aliases('!never:one.test', tokens.bob)).body['errcode'], 'M_FORBIDDEN')
      await server.call('PUT', `${v3}/rooms/${enc(room)}/state/m.room.history_visibility`, {
        token: tokens.alice,
        body: { history_visibility: 'world_readable' },
      })
      assert.deepEqual((await aliases(room, tokens.bob)).body, { aliases: [] })
    })

    test('are refused where they are invalid', async () => {
      const room = await makeRoom()
      const put = (alias: string, body: unknown = { room_id: room }, token = tokens.alice) =>
        directory('PUT', alias, token, body)
      await put('#taken:one.test')
      const refusals = [
        [put('#taken:one.test'), 409, 'M_UNKNOWN'],
        [put('taken:one.test'), 400, 'M_INVALID_PARAM'],
        [put('#taken'), 400, 'M_INVALID_PARAM'],
        [put('#:one.test'), 400, 'M_INVALID_PARAM'],
        [put('#a b:one.test'), 400, 'M_INVALID_PARAM'],
        [put('#a\0:one.test'), 400, 'M_INVALID_PARAM'],
        [put(`#${'a'.repeat(255)}:one.test`), 400, 'M_INVALID_PARAM'],
        [put('#a:two.test'), 400, 'M_INVALID_PARAM'],
        [put('#a:one.test', {}), 400, 'M_MISSING_PARAM'],
        [put('#a:one.test', { room_id: 'room' }), 400, 'M_BAD_JSON'],
        [put('#a:one.test', { room_id: '!never:one.test' }), 403, 'M_FORBIDDEN'],
        [put('#a:one.test', { room_id: room }, tokens.bob), 403, 'M_FORBIDDEN'],
        [directory('GET', '#a'), 400, 'M_INVALID_PARAM'],
        [directory('GET', '#a:two.test'), 502, 'M_UNKNOWN'],
        [directory('GET', '#__proto__:one.test'), 404, 'M_NOT_FOUND'],
        [directory('DELETE', '#a:one.test', tokens.alice), 404, 'M_NOT_FOUND'],
        [directory('DELETE', '#taken:one.test', tokens.bob), 403, 'M_FORBIDDEN'],
        [directory('DELETE', '#taken:one.test'), 401, 'M_MISSING_TOKEN'],
      ] as const
      for (const [call, status, code] of refusals) {
        const answer = await call
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      }
    })
  })

  describe('lists rooms', () => {
    const listed = (method: string, room: string, token?: string, body?: unknown) =>
      server.call(method, `${v3}/directory/list/room/${enc(room)}`, { ...(token === undefined ? {} : { token }), body })
    const find = async (body: object = {}, token = tokens.bob) =>
      (await server.call('POST', `${v3}/publicRooms`, { token, body })).body as unknown as Page
    const names = ({ chunk }: Page) => chunk.map(({ name }) => name)

    test('as their state describes them, while they are published', async () => {
      const room = await makeRoom({
        preset: 'public_chat',
        visibility: 'public',
        name: 'A Name',
        topic: 'A topic',
        room_alias_name: 'described',
        creation_content: { type: 'm.space' },
        initial_state: [{ type: 'm.room.avatar', content: { url: 'mxc://one.test/a' } }],
      })
      assert.deepEqual((await listed('GET', room)).body, { visibility: 'public' })
      const entry = {
        room_id: room,
        num_joined_members: 1,
        world_readable: false,
        guest_can_join: false,
        join_rule: 'public',
        name: 'A Name',
        topic: 'A topic',
        canonical_alias: '#described:one.test',
        avatar_url: 'mxc://one.test/a',
        room_type: 'm.space',
      }
      const open = await server.call('GET', `${v3}/publicRooms`)
      assert.deepEqual(open.body, { chunk: [entry], total_room_count_estimate: 1 })
      assert.deepEqual((await listed('PUT', room, tokens.alice, { visibility: 'private' })).body, {})
      assert.deepEqual((await find()).chunk, [])
      assert.deepEqual((await listed('GET', room)).body, { visibility: 'private' })
    })

    test('without redacted parts of their state', async () => {
      const room = await makeRoom({ preset: 'public_chat', visibility: 'public', topic: 'stays' })
      const path = `${v3}/rooms/${enc(room)}`
      const named = await server.call('PUT', `${path}/state/m.room.name/`, {
        token: tokens.alice,
        body: { name: 'Oh no' },
      })
      const redact = `${path}/redact/${enc(String(named.body['event_id']))}/1`
      assert.equal((await server.call('PUT', redact, { token: tokens.alice, body: {} })).status, 200)
      const [entry] = (await find()).chunk as { name?: string; topic?: string }[]
      assert.deepEqual([entry?.name, entry?.topic], [undefined, 'stays'])
      await listed('PUT', room, tokens.alice, { visibility: 'private' })
    })

    test('only where a user with permission publishes them', async () => {
      const room = await makeRoom({ preset: 'public_chat', name: 'wanted' })
      await join(room, tokens.bob)
      const refusals = [
        [listed('PUT', room, tokens.bob, {}), 403, 'M_FORBIDDEN'],
        [listed('PUT', '!never:one.test', tokens.alice, {}), 404, 'M_NOT_FOUND'],
        [listed('GET', '!never:one.test'), 404, 'M_NOT_FOUND'],
        [listed('PUT', room, tokens.alice, { visibility: 'secret' }), 400, 'M_BAD_JSON'],
        [listed('PUT', 'room', tokens.alice, {}), 400, 'M_INVALID_PARAM'],
      ] as const
      for (const [call, status, code] of refusals) {
        const answer = await call
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      }
      assert.deepEqual((await find()).chunk, [])
      assert.equal((await listed('PUT', room, tokens.admin)).status, 200)
      assert.deepEqual(names(await find()), ['wanted'])
      await listed('PUT', room, tokens.alice, { visibility: 'private' })
    })

    test('the largest first, in pages, in both directions', async () => {
      for (const name of ['one', 'two', 'three', 'four', 'five']) {
        const room = await makeRoom({ preset: 'public_chat', visibility: 'public', name, topic: `Topic of ${name}` })
        if (name === 'three') await join(room, tokens.bob)
      }
      const first = await find({ limit: 2 })
      assert.deepEqual(names(first), ['three', 'one'])
      assert.equal(first.prev_batch, undefined)
      const second = await find({ limit: 2, since: first.next_batch })
      assert.deepEqual(names(second), ['two', 'four'])
      const third = await find({ limit: 2, since: second.next_batch })
      assert.deepEqual([names(third), third.next_batch], [['five'], undefined])
      const back = await find({ limit: 2, since: third.prev_batch })
      assert.deepEqual(names(back), ['two', 'four'])
      assert.deepEqual(names(await find({ limit: 2, since: back.next_batch })), ['five'])
      const start = await find({ limit: 2, since: back.prev_batch })
      assert.deepEqual([names(start), start.prev_batch], [['three', 'one'], undefined])
    })

    test('filtered by words and by type', async () => {
      await makeRoom({ visibility: 'public', name: 'A Space', creation_content: { type: 'm.space' } })
      const search = async (filter: object) => names(await find({ filter }))
      assert.deepEqual(await search({ generic_search_term: 'TOPIC OF T' }), ['three', 'two'])
      assert.deepEqual(await search({ generic_search_term: 'sPaCe' }), ['A Space'])
      assert.deepEqual(await search({ room_types: ['m.space'] }), ['A Space'])
      assert.deepEqual((await search({ room_types: [null] })).length, 5)
      assert.deepEqual(await search({ room_types: [] }), [])
      assert.deepEqual(await search({ generic_search_term: '%' }), [])
      const paged = await find({ limit: 1, filter: { generic_search_term: 'topic of t' } })
      assert.deepEqual(names(paged), ['three'])
      const next = await find({ limit: 1, since: paged.next_batch, filter: { generic_search_term: 'topic of t' } })
      assert.deepEqual(names(next), ['two'])
      assert.deepEqual((await find({ third_party_instance_id: 'irc' })).chunk, [])
    })

    test('for valid requests only', async () => {
      const post = (body: unknown, query = '') =>
        server.call('POST', `${v3}/publicRooms${query}`, { token: tokens.bob, body })
      const token = Buffer.from('n1 room').toString('base64url')
      const refusals = [
        [server.call('POST', `${v3}/publicRooms`, { body: {} }), 401, 'M_MISSING_TOKEN'],
        [post([]), 400, 'M_BAD_JSON'],
        [post({ limit: '5' }), 400, 'M_BAD_JSON'],
        [post({ limit: -1 }), 400, 'M_BAD_JSON'],
        [post({ filter: { room_types: [5] } }), 400, 'M_BAD_JSON'],
        [post({ since: 'nowhere' }), 400, 'M_INVALID_PARAM'],
        [post({ since: token }), 400, 'M_INVALID_PARAM'],
        [post({}, '?server=two.test'), 502, 'M_UNKNOWN'],
        [server.call('GET', `${v3}/publicRooms?limit=many`), 400, 'M_INVALID_PARAM'],
      ] as const
      for (const [call, status, code] of refusals) {
        const answer = await call
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      }
      assert.equal((await post({}, '?server=one.test')).status, 200)
    })
  })
})
