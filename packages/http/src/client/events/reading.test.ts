// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'

const at = (room: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${rest}`

describe('reading a room', () => {
  let server: TestServer
  let alice: { userId: string; token: string }
  let bob: { userId: string; token: string }
  let room: string
  let txn = 0
  before(async () => {
    server = await testServer()
    alice = await server.register('alice')
    bob = await server.register('bob')
    const body = { preset: 'public_chat' }
    room = String(
      (await server.call('POST', '/_matrix/client/v3/createRoom', { token: alice.token, body })).body['room_id'],
    )
    await server.call('POST', at(room, 'join'), { token: bob.token, body: {} })
  })
  after(() => server.close())

  const say = async (token: string, body: string, relation?: object) => {
    const content = { msgtype: 'm.text', body, ...(relation ? { 'm.relates_to': relation } : {}) }
    const sent = await server.call('PUT', at(room, `send/m.room.message/${++txn}`), { token, body: content })
    return String(sent.body['event_id'])
  }
  const bodies = (events: unknown) =>
    (events as { content: { body?: string } }[]).flatMap(({ content }) => content.body ?? [])
  const asked = (filter: object) => `filter=${encodeURIComponent(JSON.stringify(filter))}`
  const messages = async (filter: object) =>
    bodies(
      (await server.call('GET', at(room, `messages?dir=f&limit=50&${asked(filter)}`), { token: alice.token })).body[
        'chunk'
      ],
    )

  test('can be asked for what others related to, in such ways and by such people', async () => {
    const [one, two, three] = [
      await say(alice.token, 'one'),
      await say(alice.token, 'two'),
      await say(alice.token, 'three'),
    ]
    await say(bob.token, 'to one', { rel_type: 'm.reference', event_id: one })
    await say(alice.token, 'to two', { rel_type: 'm.thread', event_id: two })
    const gone = await say(bob.token, 'to three', { rel_type: 'm.thread', event_id: three })
    await server.call('PUT', at(room, `redact/${encodeURIComponent(gone)}/${++txn}`), { token: bob.token, body: {} })
    assert.deepEqual(await messages({ related_by_rel_types: ['m.thread', 'm.reference'] }), ['one', 'two'])
    assert.deepEqual(await messages({ related_by_rel_types: ['m.thread'] }), ['two'])
    assert.deepEqual(await messages({ related_by_senders: [bob.userId] }), ['one'])
    assert.deepEqual(await messages({ related_by_senders: [bob.userId], related_by_rel_types: ['m.thread'] }), [])
    assert.deepEqual(await messages({ related_by_rel_types: [] }), [])
    const filter = { room: { timeline: { related_by_rel_types: ['m.thread'], limit: 50 } } }
    const synced = await server.call('GET', `/_matrix/client/v3/sync?${asked(filter)}`, { token: alice.token })
    const rooms = synced.body['rooms'] as { join: Record<string, { timeline: { events: unknown } }> }
    assert.deepEqual(bodies(rooms.join[room]?.timeline.events), ['two'])
    const around = at(
      room,
      `context/${encodeURIComponent(three)}?limit=50&${asked({ related_by_senders: [alice.userId] })}`,
    )
    assert.deepEqual(bodies((await server.call('GET', around, { token: alice.token })).body['events_before']), ['two'])
  })

  test('goes forwards where a client names no direction', async () => {
    const since = server.rt.clock.now()
    const get = async (path: string) => (await server.call('GET', at(room, path), { token: alice.token })).body
    assert.deepEqual(await get('messages?limit=3'), await get('messages?dir=f&limit=3'))
    assert.notDeepEqual(await get('messages?limit=3'), await get('messages?dir=b&limit=3'))
    server.rt.clock.advance(1000)
    const later = await say(alice.token, 'later')
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(room)}/timestamp_to_event?ts=${since + 500}`
    assert.equal((await server.call('GET', path, { token: alice.token })).body['event_id'], later)
  })

  test('says of an event in a room that is not theirs the same as of one that is not there', async () => {
    const event = encodeURIComponent(await say(alice.token, 'hidden'))
    const carol = await server.register('carol')
    for (const path of [at(room, `event/${event}`), at('!nowhere:one.test', `event/${event}`)]) {
      const { status, body } = await server.call('GET', path, { token: carol.token })
      assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND'])
    }
  })
})
