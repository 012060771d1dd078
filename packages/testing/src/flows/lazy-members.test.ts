// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import type { RoomAuthor } from '../room-author.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

type Person = Awaited<ReturnType<TestServer['register']>>
type Body = { next_batch: string; rooms: { join: Record<string, { state: { events: { state_key: string }[] } }> } }

onEveryDatabase('a client that loads members lazily', (open) => {
  test('gets a member with the first message of theirs, once', async () => {
    const { server, alice, bob, room, sync } = await stage(open)
    const { next, shown: atFirst } = await sync()
    await room.say(bob.userId, 'one')
    const second = await sync(next)
    await room.say(bob.userId, 'two')
    const third = await sync(second.next)
    await room.say(alice.userId, 'three')
    const fourth = await sync(third.next)
    assert.equal(atFirst.includes(bob.userId), false)
    assert.deepEqual([second.shown, third.shown, fourth.shown], [[bob.userId], [], [alice.userId]])
    await server.close()
  })

  test('does not get members of the first sync again in the next one', async () => {
    const { server, carol, room, sync } = await stage(open)
    const { next, shown: atFirst } = await sync()
    await room.say(carol.userId, 'one')
    const second = await sync(next)
    assert.equal(atFirst.includes(carol.userId), true)
    assert.deepEqual(second.shown, [])
    await server.close()
  })

  test('does not get in `state` a member whose event was in the timeline', async () => {
    const { server, room, sync } = await stage(open)
    const [dan, eve] = [await server.register('dan'), await server.register('eve')]
    const first = await sync()
    await room.member(dan.userId, dan.userId, 'join')
    const second = await sync(first.next)
    await room.say(dan.userId, 'one')
    const third = await sync(second.next)
    await room.member(eve.userId, eve.userId, 'join')
    const anew = await sync()
    await room.say(eve.userId, 'two')
    const next = await sync(anew.next)
    assert.deepEqual([second.shown, third.shown, anew.shown.includes(eve.userId), next.shown], [[], [], false, []])
    await server.close()
  })

  test('gets members again after a lost response', async () => {
    const { server, bob, room, sync } = await stage(open)
    const { next } = await sync()
    await room.say(bob.userId, 'one')
    await sync(next)
    await room.say(bob.userId, 'two')
    assert.deepEqual((await sync(next)).shown, [bob.userId])
    await server.close()
  })

  test('gets members again after an initial sync', async () => {
    const { server, alice, bob, room, sync } = await stage(open)
    const before = await sync()
    await room.say(bob.userId, 'one')
    await sync(before.next)
    for (let count = 0; count < 2; count++) await room.say(alice.userId, 'so that bob is not among the newest')
    const { next, shown } = await sync()
    await room.say(bob.userId, 'two')
    assert.deepEqual([shown.includes(bob.userId), (await sync(next)).shown], [false, [bob.userId]])
    await server.close()
  })

  test('gets members again with `include_redundant_members`, and after a change', async () => {
    const { server, bob, room, sync } = await stage(open)
    const { next } = await sync()
    await room.say(bob.userId, 'one')
    const second = await sync(next)
    await room.say(bob.userId, 'two')
    const redundant = await sync(second.next, { include_redundant_members: true })
    const path = `/_matrix/client/v3/profile/${encodeURIComponent(bob.userId)}/displayname`
    await server.call('PUT', path, { token: bob.token, body: { displayname: 'Bob' } })
    for (let count = 0; count < 3; count++) await room.say(bob.userId, 'and on')
    assert.deepEqual([redundant.shown, (await sync(redundant.next)).shown], [[bob.userId], [bob.userId]])
    await server.close()
  })
})

async function stage(open: Parameters<typeof testServer>[0]) {
  const server = await testServer(open)
  const people = [await server.register('alice'), await server.register('bob'), await server.register('carol')]
  const [alice, bob, carol] = people as [Person, Person, Person]
  const room: RoomAuthor = await authorRoom(server.rt, alice.userId, { preset: 'public_chat', name: 'no heroes' })
  for (const { userId } of [bob, carol]) await room.member(userId, userId, 'join')
  for (let count = 0; count < 2; count++) await room.say(carol.userId, 'so that nobody else is among the newest')
  /** Carol's next sync: whose member events come beside the timeline. */
  const sync = async (since?: string, more: object = {}) => {
    const filter = { room: { timeline: { limit: 2 }, state: { lazy_load_members: true, ...more } } }
    const query = `filter=${encodeURIComponent(JSON.stringify(filter))}${since === undefined ? '' : `&since=${since}`}`
    const { status, body } = await server.call('GET', `/_matrix/client/v3/sync?${query}`, { token: carol.token })
    assert.equal(status, 200)
    const { next_batch: next, rooms } = body as Body
    const shown = rooms.join[room.roomId]?.state.events.flatMap(({ state_key: key }) =>
      key.startsWith('@') ? [key] : [],
    )
    return { next, shown: shown ?? [] }
  }
  return { server, alice, bob, carol, room, sync }
}
