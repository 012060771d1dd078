// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { timeline } from '@myelin/storage/rooms/events/events'
import { relayEvent } from '@myelin/storage/federation/outgoing-events'
import { onEveryDatabase } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { ForeignAuthor } from '../foreign-author.ts'
import { testNetwork } from '../network.ts'
import type { TestNetwork } from '../network.ts'
import { authorOf, authorRoom } from '../room-author.ts'
import type { RoomAuthor } from '../room-author.ts'
import { shareRoom } from '../shared-room.ts'

const [alice, bob, carol] = ['@alice:one.test', '@bob:two.test', '@carol:three.test'] as const
const MINUTE_MS = 60_000

type Stage = {
  readonly network: TestNetwork
  readonly room: RoomAuthor
  /** The events of the room as a server has them, in its order. */
  readonly idsAt: (name: string) => Promise<EventId[]>
  /** Goes on until a server has these events. */
  readonly untilAt: (name: string, ids: readonly EventId[], maxMs?: number) => Promise<void>
  readonly settled: () => Promise<void>
}

async function idsAt(network: TestNetwork, name: string, roomId: RoomId): Promise<EventId[]> {
  const { db } = network.server(name).rt
  const events = await timeline(db.read, { roomId, direction: 'forward', after: 0, before: 2 ** 40, limit: 10_000 })
  return events.map(({ pdu }) => pdu.id)
}

/** A room of alice at one.test in which bob of two.test and carol of three.test are; the three servers have the same of it. */
async function onStage(
  open: OpenDatabase,
  run: (stage: Stage) => Promise<void>,
  { servers = 2, seed = 'a' } = {},
): Promise<void> {
  const network = await testNetwork({ servers, open, seed })
  const { rt } = network.server('one.test')
  const room = await authorRoom(rt, alice, { preset: 'public_chat' })
  for (const user of [bob, carol].slice(0, servers - 1)) await room.member(user, user, 'join')
  for (const other of network.servers.slice(1)) await shareRoom(rt, other.rt, room.roomId)
  const settled = async () => {
    for (const { name } of network.servers) {
      await network.server(name).workers.outbound.settled()
      for (const other of network.servers) await network.server(other.name).workers.inbound.settled()
    }
  }
  await settled()
  await network.settle()
  const at = (name: string) => idsAt(network, name, room.roomId)
  const untilAt: Stage['untilAt'] = (name, ids, maxMs) =>
    network.settle(async () => {
      const there = new Set(await at(name))
      return ids.every((id) => there.has(id))
    }, maxMs)
  try {
    await run({ network, room, idsAt: at, untilAt, settled })
  } finally {
    await network.close()
  }
}

const sends = (network: TestNetwork, to: string) =>
  network.crossings.filter(
    (crossing) => crossing.to === to && crossing.target.startsWith('/_matrix/federation/v1/send/'),
  )

onEveryDatabase('events of local users', (open) => {
  test('arrives at every other server in the room, once and in order', () =>
    onStage(
      open,
      async ({ network, room, idsAt: at, untilAt }) => {
        const said: EventId[] = []
        for (let number = 0; number < 120; number++) said.push(await room.say(alice, `message ${number}`))
        for (const name of ['two.test', 'three.test']) {
          await untilAt(name, said)
          assert.deepEqual(await at(name), await at('one.test'))
        }
        const reached = new Set(sends(network, 'two.test').map(({ target }) => target))
        assert.equal(reached.size, sends(network, 'two.test').length)
      },
      { servers: 3 },
    ))

  for (const seed of ['b', 'c', 'd']) {
    test(`arrives over a network that loses and delays (${seed})`, () =>
      onStage(
        open,
        async ({ network, room, idsAt: at, untilAt }) => {
          network.setFaults({ loss: 0.4, delayMs: 3000 })
          const said: EventId[] = []
          for (let number = 0; number < 30; number++) said.push(await room.say(alice, `message ${number}`))
          await untilAt('two.test', said, 4 * 3_600_000)
          assert.deepEqual((await at('two.test')).toSorted(), (await at('one.test')).toSorted())
        },
        { seed },
      ))
  }

  test('arrives after ten minutes of partition, at the latest when the other server is heard of again', () =>
    onStage(open, async ({ network, room, idsAt: at, settled }) => {
      network.partition(['one.test'], ['two.test'])
      const before = await room.say(alice, 'is anybody there')
      await settled()
      for (let minute = 0; minute < 10; minute++) {
        network.clock.advance(MINUTE_MS)
        await settled()
      }
      const after = await room.say(alice, 'hello')
      await settled()
      assert.ok(sends(network, 'two.test').length < 12)
      network.heal()
      const { remote } = network.server('two.test').rt
      await remote.call('one.test' as never, { method: 'GET', target: `/_matrix/federation/v1/event/${after}` })
      await settled()
      assert.deepEqual((await at('two.test')).slice(-2), [before, after])
      assert.deepEqual(await at('two.test'), await at('one.test'))
    }))

  test('needs no more than one timer for a server that does not answer, however much it misses', () =>
    onStage(open, async ({ network, room, settled }) => {
      network.partition(['one.test'], ['two.test'])
      await room.say(alice, 'the first message')
      await settled()
      // Timers of what came before may end in the meantime, so they are counted from the first failure on.
      const waiting = network.clock.waiting
      for (let number = 0; number < 20; number++) {
        await room.say(alice, `message ${number}`)
        await settled()
      }
      assert.ok(network.clock.waiting <= waiting)
      assert.equal(network.server('one.test').workers.outbound.busyCount, 1)
    }))

  test('is found by the receiver from the newest event after a long outage', () =>
    onStage(open, async ({ network, room, idsAt: at, untilAt, settled }) => {
      network.partition(['one.test'], ['two.test'])
      const said = [await room.say(alice, 'first')]
      await settled()
      network.clock.advance(3 * 60 * MINUTE_MS)
      await settled()
      for (let number = 0; number < 7; number++) said.push(await room.say(alice, `message ${number}`))
      network.heal()
      await untilAt('two.test', said, 4 * 3_600_000)
      assert.deepEqual((await at('two.test')).toSorted(), (await at('one.test')).toSorted())
      const carried = sends(network, 'two.test').filter(({ status }) => status === 200)
      assert.equal(carried.length, 1)
    }))

  test('is neither lost nor doubled where the server stops in the middle', () =>
    onStage(open, async ({ network, room, idsAt: at, untilAt, settled }) => {
      const { roomId } = room
      const said = [await room.say(alice, 'arrives')]
      await untilAt('two.test', said)
      network.partition(['one.test'], ['two.test'])
      said.push(await room.say(alice, 'fails'))
      await settled()
      said.push(await room.say(alice, 'waits'))
      let { rt } = await network.restart('one.test')
      said.push(await authorOf(rt, roomId).say(alice, 'waits too'))
      network.heal()
      ;({ rt } = await network.restart('one.test'))
      said.push(await authorOf(rt, roomId).say(alice, 'and comes'))
      await untilAt('two.test', said)
      assert.deepEqual(await at('two.test'), await at('one.test'))
      const done = sends(network, 'two.test').length
      await network.restart('one.test')
      await settled()
      assert.equal(sends(network, 'two.test').length, done)
    }))

  test('sends the removal of the last user of a server to that server', () =>
    onStage(open, async ({ room, untilAt }) => {
      const kick = await room.member(alice, bob, 'leave')
      await untilAt('two.test', [kick])
    }))

  test('does not go to servers that have left', () =>
    onStage(open, async ({ network, room, untilAt, settled }) => {
      await untilAt('two.test', [await room.member(alice, bob, 'leave')])
      const before = sends(network, 'two.test').length
      await room.say(alice, 'just us')
      await settled()
      assert.equal(sends(network, 'two.test').length, before)
    }))

  test('takes along what another server gave us to send on, and nothing else of others', () =>
    onStage(
      open,
      async ({ network, room, untilAt, idsAt: at, settled }) => {
        const [home, away] = [network.server('one.test'), network.server('two.test')]
        const theirs = new ForeignAuthor(home, away)
        const draft = {
          roomId: room.roomId,
          sender: bob,
          type: 'm.room.message',
          content: { msgtype: 'm.text', body: 'hi' },
        }
        const shown = await theirs.sendEvent(draft)
        await settled()
        assert.ok(!(await at('three.test')).includes(shown.id))
        const given = await theirs.build({ ...draft, prevEvents: (await at('three.test')).slice(-1) })
        await theirs.send([given.json])
        await home.rt.db.write(async (tx) => {
          await relayEvent(tx, given.id, 0)
          tx.touch(room.roomId)
        })
        const next = await room.say(alice, 'go on')
        await untilAt('three.test', [next])
        assert.equal((await at('three.test')).filter((id) => id === given.id).length, 1)
      },
      { servers: 3 },
    ))

  test('goes to at most fifty events a transaction, from one server at a time', () =>
    onStage(open, async ({ network, room, untilAt }) => {
      network.setFaults({ delayMs: 50 })
      const said: EventId[] = []
      for (let number = 0; number < 130; number++) said.push(await room.say(alice, `message ${number}`))
      await untilAt('two.test', said)
      assert.ok(sends(network, 'two.test').length >= 3)
    }))

  test('reaches all members of a room that was joined from three servers, from each sender', async () => {
    const network = await testNetwork({ servers: 3, open })
    const people = await Promise.all(
      network.servers.map(async (server, number) => ({ server, ...(await server.register(`user${number}`)) })),
    )
    const [first, ...others] = people
    assert.ok(first)
    const created = await first.server.call('POST', '/_matrix/client/v3/createRoom', {
      token: first.token,
      body: { preset: 'public_chat' },
    })
    const roomId = String(created.body['room_id']) as RoomId
    for (const { server, token } of others) {
      const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?server_name=one.test`
      const joined = await server.call('POST', path, { token, body: {} })
      assert.equal(joined.status, 200, JSON.stringify(joined.body))
    }
    const said: EventId[] = []
    for (const { server, token } of people) {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t`
      const sent = await server.call('PUT', path, { token, body: { msgtype: 'm.text', body: 'hello' } })
      assert.equal(sent.status, 200, JSON.stringify(sent.body))
      said.push(String(sent.body['event_id']) as EventId)
    }
    await network.settle(async () => {
      const there = await Promise.all(network.servers.map(({ name }) => idsAt(network, name, roomId)))
      return there.every((ids) => said.every((id) => ids.includes(id)))
    })
    await network.close()
  })
})
