// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startMaintenance } from '@myelin/services/maintenance'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import { SlidingClient } from '../../clients/sliding-client.ts'
import { createDatabase, onEveryDatabase, testOnPostgres, testOnSqlite } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'
import { ALL, OLDER, slidingStage } from '../../stages/sliding-stage.ts'

const v3 = '/_matrix/client/v3'
const silent = { committed: () => {} }

const steps = ({ rt }: TestServer) => rt.db.read.selectFrom('sliding_steps').selectAll().execute()
const connections = ({ rt }: TestServer) => rt.db.read.selectFrom('sliding_connections').selectAll().execute()

async function say(server: TestServer, token: string, room: string, text: string): Promise<string> {
  const path = `${v3}/rooms/${encodeURIComponent(room)}/send/m.room.message/${text}`
  const { body } = await server.call('PUT', path, { token, body: { msgtype: 'm.text', body: text } })
  return String(body['event_id'])
}

/** Lets time go on until a request is answered; for so long at most, so that what comes later does not answer it. */
async function answerOf<Value>(server: TestServer, request: Promise<Value>, limitMs = Infinity): Promise<Value> {
  let isAnswered = false
  const answered = request.finally(() => (isAnswered = true))
  for (let ms = 0; !isAnswered; ms += 10) {
    if (ms < limitMs) server.rt.clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return answered
}

/** Follows a room over two servers, one after the other or both at once, on the same database. */
async function movesOn(here: TestServer, reopen: () => Promise<TestServer>): Promise<void> {
  const alice = await here.register('alice')
  const { body } = await here.call('POST', `${v3}/createRoom`, { token: alice.token, body: { name: 'room' } })
  const room = String(body['room_id'])
  const before = new SlidingClient(here, alice.token, 'msc3575')
  await before.sync(ALL)
  await before.sync({ lists: { all: { ranges: [[0, 19]], ...OLDER, timeline_limit: 5 } } })
  const there = await reopen()
  const after = new SlidingClient(there, alice.token, 'msc3575')
  after.pos = before.pos
  assert.deepEqual((await after.sync(ALL)).rooms, {})
  const event = await say(there, alice.token, room, 'news')
  const { rooms } = await after.sync(ALL)
  assert.deepEqual(
    rooms[room]?.timeline?.map(({ event_id: id }) => id),
    [event],
  )
  assert.equal(rooms[room]?.initial, undefined)
  assert.deepEqual(rooms[room]?.required_state, undefined)
}

testOnSqlite('a connection of sliding sync survives a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  const open: OpenDatabase = (events = silent) => openSqlite(join(folder, 'homeserver.db'), events)
  let server = await testServer(open)
  try {
    await movesOn(server, async () => {
      await server.close()
      return (server = await testServer(open))
    })
  } finally {
    await server.close()
    await rm(folder, { recursive: true })
  }
})

testOnPostgres('a connection of sliding sync goes on at another node', async () => {
  const shared = await createDatabase()
  const open: OpenDatabase = (events = silent) => openPostgres({ connectionString: shared.url, maxReaders: 3 }, events)
  const [here, there] = [await testServer(open), await testServer(open)]
  try {
    await movesOn(here, async () => there)
  } finally {
    await Promise.all([here.close(), there.close()])
    await shared.drop()
  }
})

onEveryDatabase('connections of sliding sync', (open) => {
  test('write nothing while only rooms go on that the client has, and nothing while it waits', async (t) => {
    const { server, alice, bob, room, say, move, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    await move(bob, roomId, 'join')
    const phone = client(alice)
    await phone.sync(ALL)
    const first = await steps(server)
    await say(bob, roomId)
    assert.equal(Object.keys((await phone.sync(ALL)).rooms).length, 1)
    const position = await server.rt.db.position()
    assert.deepEqual((await answerOf(server, phone.sync(ALL, { timeoutMs: 1000 }))).rooms, {})
    assert.equal(await server.rt.db.position(), position)
    assert.deepEqual(await steps(server), first)
  })

  test('wake for a message', async (t) => {
    const { server, alice, bob, room, say, move, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    await move(bob, roomId, 'join')
    const phone = client(alice, 'v4')
    const requested = { room_subscriptions: { [roomId]: { timeline_limit: 1, required_state: {} } } }
    await phone.sync(requested)
    const waiting = phone.sync(requested, { timeoutMs: 100_000 })
    const event = await say(bob, roomId)
    const { rooms } = await answerOf(server, waiting, 20_000)
    assert.equal(rooms[roomId]?.timeline?.[0]?.event_id, event)
  })

  test('keep a bounded number of steps, and the same state', async (t) => {
    const { server, alice, room, client } = await slidingStage(open, t)
    const roomId = await room(alice, { name: 'room' })
    const phone = client(alice)
    await phone.sync(ALL)
    let most = 0
    for (let serial = 0; serial < 80; serial++) {
      const required = [
        ['m.room.name', ''],
        [`org.test.${serial % 50}`, ''],
      ]
      await phone.sync({ lists: { all: { ranges: [[0, 9]], timeline_limit: 1, required_state: required } } })
      most = Math.max(most, (await steps(server)).length)
    }
    assert.ok(most > 30 && most < 80, `${most} steps`)
    server.rt.db.read.caches.clear()
    assert.deepEqual((await phone.sync(ALL)).rooms[roomId]?.initial, undefined)
  })

  test('are ten for a device at most, and go with it', async (t) => {
    const { server, alice, client, call } = await slidingStage(open, t)
    const [oldest, ...others] = Array.from({ length: 11 }, (_, index) =>
      client(alice, 'msc3575', `connection-${index}`),
    )
    assert.ok(oldest)
    for (const each of [oldest, ...others]) {
      server.rt.clock.advance(1000)
      await each.sync(ALL)
    }
    assert.equal((await connections(server)).length, 10)
    assert.equal((await oldest.ask(ALL)).body['errcode'], 'M_UNKNOWN_POS')
    assert.equal((await others[0]?.ask(ALL))?.status, 200)
    await call('POST', 'logout', alice, {})
    assert.deepEqual([await connections(server), await steps(server)], [[], []])
  })

  test('are known to be in use to a day', async (t) => {
    const { server, alice, client } = await slidingStage(open, t)
    const phone = client(alice)
    const usedTs = async () => (await connections(server))[0]?.used_ts
    await phone.sync(ALL)
    const made = server.rt.clock.now()
    server.rt.clock.jump(3_600_000)
    await phone.sync(ALL)
    assert.equal(await usedTs(), made)
    server.rt.clock.jump(24 * 3_600_000)
    await phone.sync(ALL)
    const used = server.rt.clock.now()
    assert.equal(await usedTs(), used)
    server.rt.clock.jump(3_600_000)
    await phone.sync(ALL)
    assert.equal(await usedTs(), used)
  })

  test('are forgotten when they were not used for 30 days', async (t) => {
    const { server, alice, bob, client } = await slidingStage(open, t)
    const day = 24 * 3_600_000
    const [used, unused] = [client(alice), client(bob)]
    const stop = startMaintenance(server.rt)
    t.after(stop)
    const settled = async () => {
      for (let unit = 0; unit < 10; unit++) await server.rt.db.write(async () => {})
    }
    await unused.sync(ALL)
    await used.sync(ALL)
    server.rt.clock.jump(29 * day)
    await settled()
    assert.equal((await connections(server)).length, 2)
    await used.sync(ALL)
    server.rt.clock.jump(2 * day)
    await settled()
    assert.deepEqual(
      (await connections(server)).map(({ user_id: user }) => user),
      [alice.userId],
    )
    assert.equal((await unused.ask(ALL)).body['errcode'], 'M_UNKNOWN_POS')
    assert.equal((await used.ask(ALL)).status, 200)
  })
})
