// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { roomsWithStickyEvents } from '@myelin/storage/rooms/sticky-events'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { testNetwork } from '../../network.ts'
import { authorRoom } from '../../room-author.ts'

const v3 = '/_matrix/client/v3'
const HOUR_MS = 3_600_000
type Entry = Readonly<
  Record<'timeline' | 'msc4354_sticky', { readonly events: readonly { readonly content: JsonObject }[] } | undefined>
>

/** Alice of one.test in a room, and bob of two.test, who is not in it yet. */
async function stage(open: OpenDatabase) {
  const network = await testNetwork({ servers: 2, open })
  const [one, two] = [() => network.server('one.test'), () => network.server('two.test')]
  const [alice, bob] = [await one().register('alice'), await two().register('bob')]
  const made = await one().call('POST', `${v3}/createRoom`, { token: alice.token, body: { preset: 'public_chat' } })
  const roomId = String(made.body['room_id'])
  const room = `${v3}/rooms/${encodeURIComponent(roomId)}`
  let serial = 0
  const send = async (body: string, durationMs?: number) => {
    const query = durationMs === undefined ? '' : `?org.matrix.msc4354.sticky_duration_ms=${durationMs}`
    const path = `${room}/send/m.test/t${serial++}${query}`
    assert.equal((await one().call('PUT', path, { token: alice.token, body: { body } })).status, 200)
  }
  const join = async () => {
    const path = `${v3}/join/${encodeURIComponent(roomId)}?server_name=one.test`
    // The answer comes over the network, whose clock stands still.
    const joined = two().call('POST', path, { token: bob.token, body: {} })
    let isThere = false
    const arrived = joined.then(() => (isThere = true))
    await network.settle(() => isThere)
    await arrived
    assert.equal((await joined).status, 200, JSON.stringify((await joined).body))
  }
  const sticky = async () => {
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { types: ['m.none'] } } }))
    const { body } = await two().call('GET', `${v3}/sync?filter=${filter}`, { token: bob.token })
    const rooms = (body['rooms'] as { join?: Record<string, Entry> } | undefined)?.join ?? {}
    return (rooms[roomId]?.msc4354_sticky?.events ?? [])
      .map(({ content }) => stringMember(content, 'body') ?? '')
      .toSorted((a, b) => a.localeCompare(b))
  }
  /** Returns the bodies of what bob's server has of the room from his join on, the oldest first. */
  const sinceJoin = async () => {
    const { body } = await two().call('GET', `${room}/messages?dir=b&limit=100`, { token: bob.token })
    const chunk = (body['chunk'] as readonly { type: string; state_key?: string; content: JsonObject }[]).toReversed()
    const joined = chunk.findIndex((event) => event.state_key === bob.userId)
    assert.notEqual(joined, -1)
    return chunk.slice(joined + 1).map(({ type, content }) => stringMember(content, 'body') ?? type)
  }
  return { network, send, join, sticky, sinceJoin }
}

onEveryDatabase('sticky events between servers', (open) => {
  test('are sent to a server that joins later, except those that are over', async (t) => {
    const { network, send, join, sticky } = await stage(open)
    t.after(() => network.close())
    await send('over', 1_000)
    await send('first', HOUR_MS)
    await send('plain')
    await send('second', HOUR_MS)
    for (let number = 0; number < 5; number++) await send(`plain ${number}`)
    network.clock.advance(2_000)
    await join()
    await network.settle(async () => (await sticky()).length > 1)
    assert.deepEqual(await sticky(), ['first', 'second'])
    await network.restart('two.test')
    await send('third', HOUR_MS)
    await network.settle(async () => (await sticky()).length > 2)
    assert.deepEqual(await sticky(), ['first', 'second', 'third'])
    network.clock.advance(HOUR_MS)
    assert.deepEqual(await sticky(), [])
  })

  test('from before a join come alone, without the history around them', async (t) => {
    const { network, send, join, sticky, sinceJoin } = await stage(open)
    t.after(() => network.close())
    await send('first', HOUR_MS)
    for (let number = 0; number < 5; number++) await send(`plain ${number}`)
    await join()
    // Nobody reads the room, so that its history is not fetched before.
    const { rt } = network.server('two.test')
    await network.settle(async () => (await roomsWithStickyEvents(rt.db.read, rt.clock.now())).size > 0)
    assert.deepEqual(await sinceJoin(), ['first'])
    await network.settle(async () => (await sticky()).length > 0)
    assert.deepEqual(await sinceJoin(), ['first'])
    assert.deepEqual(await sticky(), ['first'])
  })

  test('reach a server that was cut off, however much it missed', async (t) => {
    const { network, send, join, sticky } = await stage(open)
    t.after(() => network.close())
    await join()
    await network.settle()
    network.partition(['one.test'], ['two.test'])
    await send('over', 1_000)
    await send('missed', HOUR_MS)
    for (let number = 0; number < 60; number++) await send(`plain ${number}`)
    network.clock.advance(120_000)
    await network.settle()
    assert.deepEqual(await sticky(), [])
    network.heal()
    await send('last')
    for (let round = 0; round < 30 && (await sticky()).length === 0; round++) {
      network.clock.advance(60_000)
      await network.settle()
    }
    assert.deepEqual(await sticky(), ['missed'])
  })

  test('that were soft-failed are accepted once the state allows them', async (t) => {
    const network = await testNetwork({ servers: 2, open })
    t.after(() => network.close())
    const [home, away] = [network.server('one.test'), network.server('two.test')]
    const [alice, bob] = [await home.register('alice'), '@bob:two.test'] as const
    const room = await authorRoom(home.rt, alice.userId, { preset: 'public_chat' })
    await room.member(bob, bob, 'join')
    const theirs = new ForeignAuthor(home, away)
    const before = await theirs.extremities(room.roomId)
    const levels = (level: number) =>
      room.send(alice.userId, 'm.room.power_levels', { events: { 'm.test': level } }, '')
    await levels(50)
    const draft = { roomId: room.roomId, sender: bob, type: 'm.test', prevEvents: before }
    const late = await theirs.sendEvent({ ...draft, content: { body: 'late' }, stickyMs: HOUR_MS })
    const over = await theirs.sendEvent({ ...draft, content: { body: 'over' }, stickyMs: 1_000 })
    assert.notEqual(late.id, over.id)
    const shown = async () => {
      await home.workers.stickyEvents.settled()
      const { body } = await home.call('GET', `${v3}/sync`, { token: alice.token })
      const entry = (body['rooms'] as { join: Record<string, Entry> }).join[room.roomId]
      return (entry?.timeline?.events ?? []).flatMap(({ content }) => content['body'] ?? [])
    }
    assert.deepEqual(await shown(), [])
    network.clock.advance(2_000)
    await room.say(alice.userId, 'unrelated')
    assert.deepEqual(await shown(), ['unrelated'])
    await levels(0)
    assert.deepEqual(await shown(), ['unrelated', 'late'])
    const extremities = await theirs.extremities(room.roomId)
    assert.equal(extremities.includes(late.id), false)
    await levels(0)
    assert.deepEqual(await shown(), ['unrelated', 'late'])
  })
})
