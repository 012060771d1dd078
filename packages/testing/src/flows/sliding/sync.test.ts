// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { ALL, OLDER, slidingStage, typesOf } from '../../stages/sliding-stage.ts'

onEveryDatabase('sliding sync', (open) => {
  test('gives a window of the rooms that were active last, and then only what changed', async (t) => {
    const { alice, bob, room, say, state, move, client } = await slidingStage(open, t)
    const rooms: string[] = []
    for (let index = 0; index < 5; index++) rooms.push(await room(alice, { name: `room ${index}` }))
    const [first = '', , third = '', , last = ''] = rooms
    const phone = client(alice)
    const two = { lists: { all: { ranges: [[0, 1]], ...OLDER } } }
    const answer = await phone.sync(two)
    assert.deepEqual(answer.lists?.['all'], {
      count: 5,
      ops: [{ op: 'SYNC', range: [0, 1], room_ids: [last, rooms[3]] }],
    })
    assert.deepEqual(Object.keys(answer.rooms).toSorted(), [last, rooms[3] ?? ''].toSorted())
    const entry = answer.rooms[last]
    assert.equal(entry?.initial, true)
    assert.equal(entry.name, 'room 4')
    assert.equal(entry.joined_count, 1)
    assert.equal(entry.limited, true)
    assert.equal(entry.num_live, 0)
    assert.deepEqual(typesOf(entry), ['m.room.member', 'm.room.name'])
    assert.deepEqual((await phone.sync(two)).rooms, {})
    const twice = {
      lists: {
        all: {
          ...OLDER,
          ranges: [
            [0, 0],
            [0, 1],
            [9, 99],
          ],
        },
      },
    }
    const parts = (await phone.sync(twice)).lists?.['all']?.ops?.map(({ room_ids: ids }) => ids)
    assert.deepEqual(parts, [[last], [rooms[3]], []])

    const event = await say(alice, first)
    const next = await phone.sync(two)
    assert.deepEqual(Object.keys(next.rooms), [first])
    assert.equal(next.rooms[first]?.initial, true)
    assert.equal(next.rooms[first].num_live, 1)
    assert.deepEqual(next.lists?.['all']?.ops?.[0]?.room_ids, [first, last])

    await move(bob, third, 'join')
    await state(alice, first, 'm.room.topic', { topic: 'sliding' })
    const then = await phone.sync(two)
    assert.deepEqual(typesOf(then.rooms[first]), ['m.room.topic'])
    assert.equal(then.rooms[first]?.initial, undefined)
    assert.equal(then.rooms[first]?.name, undefined)
    assert.equal(then.rooms[third]?.joined_count, 2)
    assert.ok((phone.rooms.get(first)?.bumpStamp ?? 0) > (phone.rooms.get(last)?.bumpStamp ?? 0))
    assert.equal(event.startsWith('$'), true)
  })

  test('sends a room that left the window with all that it missed when it comes back', async (t) => {
    const { alice, room, say, state, client } = await slidingStage(open, t)
    const [a, b] = [await room(alice, { name: 'a' }), await room(alice, { name: 'b' })]
    const phone = client(alice)
    const one = { lists: { all: { ranges: [[0, 0]], ...OLDER, timeline_limit: 10 } } }
    const both = { lists: { all: { ranges: [[0, 1]], ...OLDER, timeline_limit: 10 } } }
    await phone.sync(both)
    const missed = await say(alice, a)
    await state(alice, a, 'm.room.topic', { topic: 'missed' })
    await say(alice, b)
    assert.deepEqual(Object.keys((await phone.sync(one)).rooms), [b])
    await say(alice, b)
    await phone.sync(one)
    const { rooms } = await phone.sync(both)
    assert.deepEqual(Object.keys(rooms), [a])
    assert.equal(rooms[a]?.initial, undefined)
    assert.deepEqual(typesOf(rooms[a]), ['m.room.topic'])
    assert.equal(rooms[a]?.timeline?.[0]?.event_id, missed)
  })

  test('answers a request whose answer was lost again, and refuses what was not its own', async (t) => {
    const { alice, bob, room, say, client, server, call } = await slidingStage(open, t)
    const [a] = [await room(alice, { name: 'a' }), await room(alice, { name: 'b' })]
    const phone = client(alice)
    await phone.sync({ lists: { all: { ranges: [[0, 0]], ...OLDER } } })
    const event = await say(alice, a)
    const lost = await phone.ask(ALL)
    const again = await phone.sync(ALL)
    assert.deepEqual(again.rooms, (lost.body as unknown as typeof again).rooms)
    assert.equal(again.rooms[a]?.timeline?.[0]?.event_id, event)
    assert.notEqual(again.pos, lost.body['pos'])
    assert.deepEqual((await phone.sync(ALL)).rooms, {})

    const pos = String(phone.pos)
    const refusals = [
      await client(bob).ask(ALL, { pos }),
      await client(alice, 'msc3575', 'other').ask(ALL, { pos }),
      await client(alice).ask(ALL, { pos: 'nonsense' }),
      await client(alice).ask(ALL, { pos: pos.replace(/\.\d+$/, '.1') }),
      await client(alice, 'v4').ask({}, { pos: `${pos}0` }),
    ]
    for (const { status, body } of refusals) assert.deepEqual([status, body['errcode']], [400, 'M_UNKNOWN_POS'])
    // A new connection of the same name ends the one before.
    await client(alice).sync(ALL)
    assert.equal((await phone.ask(ALL)).body['errcode'], 'M_UNKNOWN_POS')
    const messages = await server.call(
      'GET',
      `/_matrix/client/v3/rooms/${encodeURIComponent(a)}/messages?dir=b&from=${pos}`,
      {
        token: alice.token,
      },
    )
    assert.equal(messages.status, 200)
    const relations = `/_matrix/client/v1/rooms/${encodeURIComponent(a)}/relations/${event}?from=${pos}`
    assert.equal((await server.call('GET', relations, { token: alice.token })).status, 200)
    await call('POST', 'logout', alice, {})
  })
})
