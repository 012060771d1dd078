// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { startMaintenance } from '@myelin/services/maintenance'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { createDatabase, openTemporarySqlite, testOnPostgres } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { join, stage, sync } from '../stages/federated-stage.ts'
import { testServer } from '../server.ts'
import type { Answer, TestServer } from '../server.ts'
import pg from 'pg'

const CLIENT = '/_matrix/client/v3'

/** Two nodes of one server over one database. */
async function twoNodes() {
  const shared = await createDatabase()
  const open = (events: Parameters<typeof openPostgres>[1] = { committed: () => {} }) =>
    openPostgres({ connectionString: shared.url, maxReaders: 3 }, events)
  const [here, there] = [await testServer(open), await testServer(open)]
  const close = async () => {
    await Promise.all([here.close(), there.close()])
    await shared.drop()
  }
  /** Cuts the connections over which the nodes hear of each other. */
  const deafen = async () => {
    const client = new pg.Client({ connectionString: shared.url })
    await client.connect()
    const listening = "datname = current_database() and pid <> pg_backend_pid() and query like 'listen %'"
    await client.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where ${listening}`)
    await client.end()
  }
  return { here, there, close, deafen }
}

const send = (node: TestServer, token: string, room: string, text: string) =>
  node.call('PUT', `${CLIENT}/rooms/${encodeURIComponent(room)}/send/m.room.message/${text}`, {
    token,
    body: { msgtype: 'm.text', body: text },
  })

const syncAt = (node: TestServer, token: string, since?: string, timeout = 0) =>
  node.call('GET', `${CLIENT}/sync?timeout=${timeout}${since === undefined ? '' : `&since=${since}`}`, {
    token,
  })

const textsIn = ({ body }: Answer, room: string) => {
  const { rooms } = body as {
    rooms: { join: Record<string, { timeline: { events: { content: { body?: string } }[] } }> }
  }
  return (rooms.join[room]?.timeline.events ?? []).flatMap(({ content }) => content.body ?? [])
}

/** Returns once a node's waiting syncs have gone to sleep: each sets a timer. */
async function asleep(node: TestServer): Promise<void> {
  while (node.rt.clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
}

testOnPostgres('changes of one node are visible at the other at once', async () => {
  const { here, there, close } = await twoNodes()
  const alice = await here.register('alice')
  const login = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'alice' },
    password: 'correct horse',
  }
  const elsewhere = await there.call('POST', `${CLIENT}/login`, { body: login })
  assert.equal(elsewhere.status, 200, 'an account made here logs in there')
  const token = String(elsewhere.body['access_token'])
  const first = await syncAt(there, token)
  const made = await here.call('POST', `${CLIENT}/createRoom`, { token: alice.token, body: { name: 'both' } })
  const room = String(made.body['room_id'])
  assert.equal((await send(there, token, room, 'from-there')).status, 200, 'a room made here can be talked in there')
  assert.equal((await send(here, alice.token, room, 'from-here')).status, 200)
  const news = await syncAt(there, token, String(first.body['next_batch']))
  assert.deepEqual(textsIn(news, room), ['from-there', 'from-here'])
  const onward = await syncAt(here, alice.token, String(news.body['next_batch']))
  assert.deepEqual(textsIn(onward, room), [], 'a token of one node is good at the other')
  await close()
})

testOnPostgres('cached values of a node are dropped when another node changes them', async () => {
  const { here, there, close } = await twoNodes()
  const alice = await here.register('alice')
  const made = await here.call('POST', `${CLIENT}/createRoom`, { token: alice.token, body: {} })
  const room = String(made.body['room_id'])
  const dataPath = `${CLIENT}/user/${alice.userId}/account_data`
  const before = await syncAt(there, alice.token)
  const list = { ignored_users: { '@bob:one.test': {} } }
  await here.call('PUT', `${dataPath}/m.ignored_user_list`, { token: alice.token, body: list })
  const after = await syncAt(there, alice.token, String(before.body['next_batch']))
  assert.deepEqual(after.body['account_data'], { events: [{ type: 'm.ignored_user_list', content: list }] })
  await here.call('POST', `${CLIENT}/rooms/${encodeURIComponent(room)}/leave`, { token: alice.token, body: {} })
  assert.equal((await send(there, alice.token, room, 'too-late')).status, 403)
  await here.call('POST', `${CLIENT}/logout`, { token: alice.token, body: {} })
  await there.rt.db.catchUp()
  assert.equal((await syncAt(there, alice.token)).status, 401, 'a session that ended here has ended there')
  await close()
})

testOnPostgres('a message sent at one node wakes who waits at the other', async () => {
  const { here, there, close } = await twoNodes()
  const alice = await here.register('alice')
  const made = await here.call('POST', `${CLIENT}/createRoom`, { token: alice.token, body: {} })
  const room = String(made.body['room_id'])
  const { body } = await syncAt(there, alice.token)
  there.rt.clock.advance(1000)
  const waiting = syncAt(there, alice.token, String(body['next_batch']), 30_000)
  await asleep(there)
  await send(here, alice.token, room, 'wake-up')
  assert.deepEqual(textsIn(await waiting, room), ['wake-up'])
  await close()
})

testOnPostgres('where the hint is lost, the other node finds out within a second', async () => {
  const { here, there, close, deafen } = await twoNodes()
  const alice = await here.register('alice')
  const made = await here.call('POST', `${CLIENT}/createRoom`, { token: alice.token, body: {} })
  const room = String(made.body['room_id'])
  const { body } = await syncAt(there, alice.token)
  there.rt.clock.advance(1000)
  const waiting = syncAt(there, alice.token, String(body['next_batch']), 30_000)
  await asleep(there)
  await deafen()
  await send(here, alice.token, room, 'unheard')
  const stop = startMaintenance(there.rt)
  there.rt.clock.advance(1000)
  assert.deepEqual(textsIn(await waiting, room), ['unheard'])
  const again = syncAt(there, alice.token, String((await syncAt(there, alice.token)).body['next_batch']), 30_000)
  await send(here, alice.token, room, 'heard-again')
  there.rt.clock.advance(1000)
  assert.deepEqual(textsIn(await again, room), ['heard-again'])
  stop()
  await close()
})

/** Notes whether a node hears that somebody types in a room, or no longer does; to be asked for that it shall. */
function hearsTyping({ rt }: TestServer, room: string): () => Promise<void> {
  let hasHeard = false
  const stop = rt.bus.wait([`typing in ${room}`], () => (hasHeard = true))
  return async () => {
    for (let looks = 0; looks < 1000 && !hasHeard; looks++) await rt.db.catchUp()
    stop()
    assert.ok(hasHeard)
  }
}

const setTyping = (node: TestServer, { userId, token }: { userId: string; token: string }, room: string, is: boolean) =>
  node.call('PUT', `${CLIENT}/rooms/${encodeURIComponent(room)}/typing/${userId}`, {
    token,
    body: { typing: is, timeout: 20_000 },
  })

const typersIn = ({ body }: Answer, room: string) => {
  const { rooms } = body as {
    rooms: { join: Record<string, { ephemeral: { events: { type: string; content: { user_ids: string[] } }[] } }> }
  }
  return rooms.join[room]?.ephemeral.events.find(({ type }) => type === 'm.typing')?.content.user_ids
}

testOnPostgres('typing users of one node are shown at the other, until they stop', async () => {
  const { here, there, close } = await twoNodes()
  const alice = await here.register('alice')
  const made = await here.call('POST', `${CLIENT}/createRoom`, { token: alice.token, body: {} })
  const room = String(made.body['room_id'])
  const first = await syncAt(there, alice.token)
  const shown: (string[] | undefined)[] = []
  let since = String(first.body['next_batch'])
  for (const is of [true, false]) {
    const heard = hearsTyping(there, room)
    assert.equal((await setTyping(here, alice, room, is)).status, 200)
    await heard()
    const answer = await syncAt(there, alice.token, since)
    since = String(answer.body['next_batch'])
    shown.push(typersIn(answer, room))
  }
  assert.deepEqual(shown, [[alice.userId], []])
  await close()
})

testOnPostgres('typing users of a node without the federation sender are sent to other servers', async () => {
  const shared = await createDatabase()
  const open = (events: Parameters<typeof openPostgres>[1] = { committed: () => {} }) =>
    openPostgres({ connectionString: shared.url, maxReaders: 3 }, events)
  const places: OpenDatabase[] = [open, openTemporarySqlite]
  const { network, alice, bob, roomId } = await stage((events) => (places.shift() ?? openTemporarySqlite)(events))
  assert.equal((await join(bob, roomId)).status, 200)
  const second = await testServer(open, {}, { clock: network.clock })
  const heard = hearsTyping(alice.server, roomId)
  assert.equal((await setTyping(second, alice, roomId, true)).status, 200)
  await heard()
  let isTold = false
  // A look at the database takes some of its time, so that little of the clock's passes until it is sent.
  for (let looks = 0; looks < 1500 && !isTold; looks++) {
    await alice.server.rt.db.catchUp()
    network.clock.advance(10)
    isTold = typersIn(await sync(bob), roomId)?.includes(alice.userId) ?? false
  }
  assert.ok(isTold)
  await second.close()
  await network.close()
  await shared.drop()
})

testOnPostgres('a nonce that was used at one node is used at the other', async () => {
  const { here, there, close } = await twoNodes()
  const path = '/_synapse/admin/v1/register'
  const { nonce } = (await here.call('GET', path)).body
  const body = { nonce, username: 'eve', password: 'pw', mac: 'f'.repeat(40) }
  assert.equal((await here.call('POST', path, { body })).status, 403)
  assert.equal((await there.call('POST', path, { body })).body['error'], 'unrecognised nonce')
  await close()
})

testOnPostgres('a message sent at one node is found at the other, whichever fills the search index', async () => {
  const { here, there, close } = await twoNodes()
  const alice = await here.register('alice')
  const made = await here.call('POST', `${CLIENT}/createRoom`, { token: alice.token, body: {} })
  const room = String(made.body['room_id'])
  await send(here, alice.token, room, 'martians')
  await send(there, alice.token, room, 'men')
  for (const node of [here, there]) await node.workers.search?.settled()
  const search_categories = { room_events: { search_term: 'martians or men' } }
  const found = await Promise.all(
    [here, there].map((node) =>
      node.call('POST', `${CLIENT}/search`, { token: alice.token, body: { search_categories } }),
    ),
  )
  await close()
  for (const { body } of found) {
    const { room_events: events } = body['search_categories'] as { room_events: { results: unknown[] } }
    assert.equal(events.results.length, 2)
  }
})
