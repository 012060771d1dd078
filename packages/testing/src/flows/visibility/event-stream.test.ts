// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
type Person = { readonly userId: string; readonly token: string }
type Event = { readonly type: string; readonly room_id?: string; readonly content: Record<string, unknown> }
type Chunk = { readonly start: string; readonly end: string; readonly chunk: readonly Event[] }

async function events(server: TestServer, { token }: Person, query: string): Promise<Chunk> {
  const { status, body } = await server.call('GET', `${v3}/events?timeout=0&${query}`, { token })
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as Chunk
}

const bodiesOf = ({ chunk }: Chunk) => chunk.flatMap(({ content }) => content['body'] ?? [])

onEveryDatabase('the event stream', (open) => {
  test('has the events of all rooms in order, and what passes in them', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const rooms = [
      await authorRoom(server.rt, alice.userId, { preset: 'public_chat' }),
      await authorRoom(server.rt, alice.userId, { preset: 'public_chat' }),
    ] as const
    for (const room of rooms) await room.member(bob.userId, bob.userId, 'join')
    const { body } = await server.call('GET', `${v3}/initialSync`, { token: bob.token })
    const begin = String(body['end'])
    for (const [index, room] of [rooms[0], rooms[1], rooms[0], rooms[1]].entries())
      await room.say(alice.userId, `${index}`)
    const at = `${v3}/rooms/${encodeURIComponent(rooms[0].roomId)}`
    await server.call('PUT', `${at}/typing/${encodeURIComponent(alice.userId)}`, {
      token: alice.token,
      body: { typing: true, timeout: 30_000 },
    })
    const first = await events(server, bob, `from=${begin}`)
    assert.deepEqual(bodiesOf(first), ['0', '1', '2', '3'])
    const typing = first.chunk.find(({ type }) => type === 'm.typing')
    assert.deepEqual(typing, { type: 'm.typing', room_id: rooms[0].roomId, content: { user_ids: [alice.userId] } })
    assert.deepEqual((await events(server, bob, `from=${first.end}`)).chunk, [])
    assert.equal(
      (await server.call('GET', `${v3}/events?from=x`, { token: bob.token })).body['errcode'],
      'M_INVALID_PARAM',
    )
  })

  test('loses no event where an answer cannot hold all of them', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const alice = await server.register('alice')
    const rooms = [await authorRoom(server.rt, alice.userId), await authorRoom(server.rt, alice.userId)] as const
    let from = (await events(server, alice, '')).end
    const said = Array.from({ length: 230 }, (_, index) => `${index}`)
    for (const body of said) await rooms[Number(body) % 3 === 0 ? 0 : 1].say(alice.userId, body)
    const heard: unknown[] = []
    for (let round = 0; round < 5; round++) {
      const part = await events(server, alice, `from=${from}`)
      heard.push(...bodiesOf(part))
      from = part.end
    }
    assert.deepEqual(heard, said)
  })

  test('has invites, own leaves, and nothing from after them; ignored users are left out', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const { end } = await events(server, bob, '')
    const [room, other] = [
      await authorRoom(server.rt, alice.userId, { preset: 'public_chat' }),
      await authorRoom(server.rt, alice.userId),
    ]
    await other.member(alice.userId, bob.userId, 'invite')
    await room.member(bob.userId, bob.userId, 'join')
    await room.say(alice.userId, 'seen')
    await room.member(bob.userId, bob.userId, 'leave')
    await room.say(alice.userId, 'unseen')
    const part = await events(server, bob, `from=${end}`)
    const memberships = part.chunk.flatMap(({ room_id: roomId, content }) =>
      'membership' in content ? [[roomId, content['membership']]] : [],
    )
    assert.deepEqual(memberships.slice(-3), [
      [other.roomId, 'invite'],
      [room.roomId, 'join'],
      [room.roomId, 'leave'],
    ])
    assert.deepEqual(bodiesOf(part), ['seen'])
    await server.call('PUT', `${v3}/user/${bob.userId}/account_data/m.ignored_user_list`, {
      token: bob.token,
      body: { ignored_users: { [alice.userId]: {} } },
    })
    const again = await events(server, bob, `from=${end}`)
    assert.deepEqual(bodiesOf(again), [])
    assert.ok(!again.chunk.some(({ room_id: roomId }) => roomId === other.roomId))
  })

  test('of a world-readable room wakes a user who only looks in; other rooms are refused', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId)
    const query = `room_id=${encodeURIComponent(room.roomId)}`
    await room.say(alice.userId, 'inside')
    const refused = await server.call('GET', `${v3}/events?timeout=0&${query}`, { token: bob.token })
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
    const { end: begin } = await events(server, alice, '')
    await room.send(alice.userId, 'm.room.history_visibility', { history_visibility: 'world_readable' }, '')
    const { end } = await events(server, bob, `${query}&from=${begin}`)
    const waiting = server.call('GET', `${v3}/events?timeout=30000&${query}&from=${end}`, { token: bob.token })
    await room.say(alice.userId, 'outside')
    const { body } = await waiting
    assert.deepEqual(bodiesOf(body as unknown as Chunk), ['outside'])
  })
})

onEveryDatabase('the initial sync of old clients', (open) => {
  test('has the rooms by membership, and left ones where they are asked for', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const [joined, invited, left] = [
      await authorRoom(server.rt, alice.userId, { preset: 'public_chat' }),
      await authorRoom(server.rt, alice.userId),
      await authorRoom(server.rt, alice.userId, { preset: 'public_chat' }),
    ]
    await joined.member(bob.userId, bob.userId, 'join')
    for (const body of ['1', '2', '3']) await joined.say(alice.userId, body)
    await invited.member(alice.userId, bob.userId, 'invite')
    await left.member(bob.userId, bob.userId, 'join')
    await left.say(alice.userId, 'before')
    await left.member(bob.userId, bob.userId, 'leave')
    await left.say(alice.userId, 'after')
    type Room = { room_id: string; membership: string; invite?: Event; messages?: { chunk: readonly Event[] } }
    const read = async (query: string) => {
      const { status, body } = await server.call('GET', `${v3}/initialSync?${query}`, { token: bob.token })
      assert.equal(status, 200)
      return Object.fromEntries((body['rooms'] as readonly Room[]).map((room) => [room.room_id, room]))
    }
    const present = await read('limit=2')
    assert.deepEqual(Object.keys(present).toSorted(), [joined.roomId, invited.roomId].toSorted())
    assert.deepEqual(
      present[joined.roomId]?.messages?.chunk.map(({ content }) => content['body']),
      ['2', '3'],
    )
    assert.deepEqual(present[invited.roomId]?.invite?.content['membership'], 'invite')
    const all = await read('archived=true')
    assert.equal(all[left.roomId]?.membership, 'leave')
    const bodies = all[left.roomId]?.messages?.chunk.map(({ content }) => content['body'] ?? content['membership'])
    assert.deepEqual(bodies?.slice(-2), ['before', 'leave'])
  })
})
