// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { testServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'

onEveryDatabase('what an ignored user writes', (open) => {
  test('is in no list of events; what they set in the room is', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob, eve] = [
      await server.register('alice'),
      await server.register('bob'),
      await server.register('eve'),
    ]
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
    for (const { userId } of [bob, eve]) await room.member(userId, userId, 'join')
    const levels = { users: { [eve.userId]: 50 }, users_default: 0 }
    await room.send(alice.userId, 'm.room.power_levels', levels, '')
    const call = async (method: string, path: string, body?: object) => {
      const answer = await server.call(method, path, { token: bob.token, ...(body ? { body } : {}) })
      assert.equal(answer.status, 200, path)
      return JSON.stringify(answer.body)
    }
    const { body } = await server.call('GET', `${v3}/sync?timeout=0`, { token: bob.token })
    const since = String(body['next_batch'])
    const root = await room.say(alice.userId, 'word of alice')
    await room.say(eve.userId, 'word of eve')
    const related = { msgtype: 'm.text', body: 'word of eve', 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
    await room.send(eve.userId, 'm.room.message', related)
    await room.send(eve.userId, 'm.room.topic', { topic: 'topic by eve' }, '')
    await room.say(alice.userId, `${bob.userId}: word of alice`)
    await room.send(eve.userId, 'm.room.message', { msgtype: 'm.text', body: `word of eve to ${bob.userId}` })
    await server.workers.search?.settled()
    const [id, at] = [encodeURIComponent(root), `${v3}/rooms/${encodeURIComponent(room.roomId)}`]
    const criteria = { search_term: 'word', event_context: {} }
    const sliding = { lists: { all: { ranges: [[0, 9]], required_state: [], timeline_limit: 50 } } }
    const places: readonly (() => Promise<string>)[] = [
      () => call('GET', `${v3}/sync?timeout=0`),
      () => call('GET', `${v3}/sync?timeout=0&since=${since}`),
      () => call('POST', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', sliding),
      () => call('GET', `${v3}/events?timeout=0&from=${since}`),
      () => call('GET', `${v3}/initialSync?limit=50`),
      () => call('GET', `${at}/initialSync?limit=50`),
      () => call('GET', `${at}/messages?dir=b&limit=50`),
      () => call('GET', `${at}/context/${id}?limit=50`),
      () => call('GET', `${at.replace('v3', 'v1')}/relations/${id}`),
      () => call('GET', `${at.replace('v3', 'v1')}/threads`),
      () => call('POST', `${v3}/search`, { search_categories: { room_events: criteria } }),
      () => call('GET', `${v3}/notifications`),
    ]
    const shows = async () => Promise.all(places.map(async (read) => (await read()).includes('word of eve')))
    const before = await shows()
    assert.ok(before.filter(Boolean).length >= 10, `${before.join()}`)
    const list = { ignored_users: { [eve.userId]: {} } }
    await call('PUT', `${v3}/user/${encodeURIComponent(bob.userId)}/account_data/m.ignored_user_list`, list)
    assert.deepEqual(
      await shows(),
      places.map(() => false),
    )
    for (const index of [0, 1, 4, 6]) assert.match((await places[index]?.()) ?? '', /topic by eve/)
  })
})
