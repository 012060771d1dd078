// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { MAX_STICKY_OF_SENDER } from '@myelin/services/rooms/append/record-sticky'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
const HOUR_MS = 3_600_000
const STICKY = 'org.matrix.msc4354.sticky_duration_ms'
type Person = Awaited<ReturnType<TestServer['register']>>
type Shown = JsonObject & { readonly event_id: string; readonly unsigned: JsonObject; readonly content: JsonObject }
type Entry = Readonly<
  Record<'timeline' | 'state' | 'msc4354_sticky', { readonly events: readonly Shown[] } | undefined>
>

/** Alice and bob in a room of alice. */
async function meeting(open: OpenDatabase, t: TestContext, initial: readonly JsonObject[] = []) {
  const server = await testServer(open)
  t.after(() => server.close())
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const made = await server.call('POST', `${v3}/createRoom`, {
    token: alice.token,
    body: { preset: 'public_chat', initial_state: initial },
  })
  const roomId = String(made.body['room_id'])
  const room = `${v3}/rooms/${encodeURIComponent(roomId)}`
  const join = (who: Person) => server.call('POST', `${room}/join`, { token: who.token, body: {} })
  await join(bob)
  let serial = 0
  const put = (who: Person, query: string, body: string) =>
    server.call('PUT', `${room}/send/m.test/t${serial++}${query && `?${query}`}`, { token: who.token, body: { body } })
  const send = async (who: Person, body: string, query = '') => {
    const answer = await put(who, query, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return String(answer.body['event_id'])
  }
  const stick = (who: Person, body: string, durationMs = HOUR_MS) => send(who, body, `${STICKY}=${durationMs}`)
  const sync = async (who: Person, since = '', filter: JsonObject = { room: { timeline: { limit: 1 } } }) => {
    const query = `filter=${encodeURIComponent(JSON.stringify(filter))}${since && `&since=${since}`}`
    const { body } = await server.call('GET', `${v3}/sync?${query}`, { token: who.token })
    const rooms = (body['rooms'] as { join?: Record<string, Entry> } | undefined)?.join ?? {}
    return { next: String(body['next_batch']), rooms, entry: rooms[roomId] }
  }
  return { server, alice, bob, roomId, room, join, put, send, stick, sync }
}

const bodiesIn = (entry: Entry | undefined, member: keyof Entry = 'msc4354_sticky') =>
  (entry?.[member]?.events ?? []).map(({ content }) => content['body'])

onEveryDatabase('sticky events', (open) => {
  test('are shown beside the timeline, once, with the time they have left', async (t) => {
    const { server, alice, bob, send, stick, sync } = await meeting(open, t)
    const { next } = await sync(bob)
    const id = await stick(alice, 'sticky', 600_000)
    await send(alice, 'after')
    server.rt.clock.advance(1_000)
    const received = await sync(bob, next)
    assert.deepEqual(bodiesIn(received.entry, 'timeline'), ['after'])
    const [event] = received.entry?.msc4354_sticky?.events ?? []
    assert.equal(event?.event_id, id)
    assert.deepEqual(event?.['msc4354_sticky'], { duration_ms: 600_000 })
    assert.equal(event?.unsigned['msc4354_sticky_duration_ttl_ms'], 599_000)
    assert.deepEqual((await sync(bob, received.next)).rooms, {})
    // In the timeline it is not shown twice, unless a filter keeps it out of there.
    const whole = await sync(bob, next, { room: { timeline: { limit: 10 } } })
    assert.deepEqual([bodiesIn(whole.entry, 'timeline'), bodiesIn(whole.entry)], [['sticky', 'after'], []])
    const filtered = await sync(bob, next, { room: { timeline: { types: ['m.other'] } } })
    assert.deepEqual(bodiesIn(filtered.entry), ['sticky'])
    assert.deepEqual(bodiesIn((await sync(bob)).entry), ['sticky'])
  })

  test('end with their time, and with their redaction', async (t) => {
    const { server, alice, bob, room, send, stick, sync } = await meeting(open, t)
    await stick(alice, 'short', 10_000)
    const redacted = await stick(alice, 'redacted')
    await stick(alice, 'long')
    await send(alice, 'after')
    assert.deepEqual(bodiesIn((await sync(bob)).entry), ['short', 'redacted', 'long'])
    await server.call('PUT', `${room}/redact/${redacted}/r`, { token: alice.token, body: {} })
    assert.deepEqual(bodiesIn((await sync(bob)).entry), ['short', 'long'])
    const gone = await server.call('GET', `${room}/event/${redacted}`, { token: bob.token })
    assert.equal('msc4354_sticky' in gone.body, false)
    server.rt.clock.advance(10_000)
    assert.deepEqual(bodiesIn((await sync(bob)).entry), ['long'])
    server.rt.clock.advance(HOUR_MS)
    assert.deepEqual(bodiesIn((await sync(bob)).entry), [])
    // The leap of the clock ends the worker's lease; it takes it again.
    for (let round = 0; round < 3; round++) {
      await server.workers.stickyEvents.settled()
      server.rt.clock.advance(60_000)
    }
    await server.workers.stickyEvents.settled()
    assert.deepEqual(await server.rt.db.read.selectFrom('sticky_events').selectAll().execute(), [])
  })

  test('are all shown to a user who joins, also where the history is hidden', async (t) => {
    const hidden = {
      type: 'm.room.history_visibility',
      state_key: '',
      content: { history_visibility: 'joined' },
    }
    const { server, alice, room, join, send, stick, sync } = await meeting(open, t, [hidden])
    const carol = await server.register('carol')
    const { next } = await sync(carol)
    const id = await stick(alice, 'before', 60_000)
    await send(alice, 'plain')
    const read = () => server.call('GET', `${room}/event/${id}`, { token: carol.token })
    assert.notEqual((await read()).status, 200)
    await join(carol)
    const received = await sync(carol, next, { room: { timeline: { limit: 1 }, state: { lazy_load_members: true } } })
    assert.deepEqual(bodiesIn(received.entry), ['before'])
    const members = (received.entry?.state?.events ?? []).filter(({ type }) => type === 'm.room.member')
    assert.ok(members.some(({ state_key: key }) => key === alice.userId))
    assert.equal((await read()).status, 200)
    const { body } = await server.call('GET', `${room}/messages?dir=b&limit=20`, { token: carol.token })
    const bodies = (body['chunk'] as Shown[]).map(({ content }) => content['body'])
    assert.ok(bodies.includes('before') && !bodies.includes('plain'))
    server.rt.clock.advance(60_000)
    await server.workers.stickyEvents.settled()
    assert.equal((await read()).status, 404)
  })

  test('come in several answers where they are many, with their senders', async (t) => {
    const { alice, bob, send, stick, sync } = await meeting(open, t)
    const people = [alice, bob]
    const sent: string[] = []
    for (let number = 0; number < 130; number++)
      sent.push(await stick(people[number % 2] ?? alice, `${number}`).then(() => `${number}`))
    await send(alice, 'after')
    const lazy = { room: { timeline: { limit: 1 }, state: { lazy_load_members: true } } }
    const first = await sync(bob, '', lazy)
    assert.deepEqual(bodiesIn(first.entry), sent.slice(0, 100))
    const second = await sync(bob, first.next, lazy)
    assert.deepEqual(bodiesIn(second.entry), sent.slice(100))
    assert.deepEqual((await sync(bob, second.next)).rooms, {})
  })

  test('are at most 100 of one user in a room; another is refused and not sent', async (t) => {
    const { server, alice, bob, put, stick, sync } = await meeting(open, t)
    for (let number = 0; number < MAX_STICKY_OF_SENDER; number++) await stick(alice, `${number}`, 60_000)
    const refused = await put(alice, `${STICKY}=60000`, 'one more')
    assert.deepEqual([refused.status, refused.body['errcode']], [429, 'M_LIMIT_EXCEEDED'])
    assert.equal(refused.body['retry_after_ms'], 60_000)
    assert.deepEqual(bodiesIn((await sync(alice)).entry, 'timeline'), [`${MAX_STICKY_OF_SENDER - 1}`])
    await stick(bob, 'of bob')
    server.rt.clock.advance(60_000)
    await stick(alice, 'later')
  })

  test('of ignored users are not shown', async (t) => {
    const { server, alice, bob, send, stick, sync } = await meeting(open, t)
    const path = `${v3}/user/${encodeURIComponent(bob.userId)}/account_data/m.ignored_user_list`
    await server.call('PUT', path, { token: bob.token, body: { ignored_users: { [alice.userId]: {} } } })
    await stick(alice, 'ignored')
    await stick(bob, 'own')
    await send(bob, 'after')
    assert.deepEqual(bodiesIn((await sync(bob)).entry), ['own'])
  })

  test('have a duration of at most an hour; others are refused, and so is sticky state', async (t) => {
    const { server, alice, bob, room, put, send, sync } = await meeting(open, t)
    for (const value of ['0', '-1', `${HOUR_MS + 1}`, 'soon', '1.5'])
      for (const name of [STICKY, 'sticky_duration_ms']) {
        const { status, body } = await put(alice, `${name}=${value}`, 'refused')
        assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'], `${name}=${value}`)
      }
    const state = await server.call('PUT', `${room}/state/m.test/key?${STICKY}=1000`, { token: alice.token, body: {} })
    assert.deepEqual([state.status, state.body['errcode']], [400, 'M_INVALID_PARAM'])
    await send(alice, 'stable', `sticky_duration_ms=${HOUR_MS}`)
    await send(alice, 'after')
    assert.deepEqual(bodiesIn((await sync(bob)).entry), ['stable'])
  })

  test('may be delayed: their time begins when they are sent', async (t) => {
    const { server, alice, bob, room, roomId, send, sync } = await meeting(open, t)
    await send(alice, 'delayed', `${STICKY}=60000`)
    const path = `/_matrix/client/unstable/org.matrix.msc4140/rooms/${encodeURIComponent(roomId)}/delayed_event/m.test`
    const schedule = (txn: string, body: JsonObject, query = '') =>
      server.call('PUT', `${path}/${txn}${query}`, { token: alice.token, body: { delay_ms: 5_000, ...body } })
    const content = { body: 'in the body' }
    assert.equal((await schedule('a', { content, sticky_duration_ms: 60_000 })).status, 200)
    assert.equal((await schedule('b', { content: { body: 'in the query' } }, `?${STICKY}=60000`)).status, 200)
    const older = `${room}/send/m.test/c?org.matrix.msc4140.delay=5000&${STICKY}=60000`
    assert.equal((await server.call('PUT', older, { token: alice.token, body: { body: 'older' } })).status, 200)
    for (const [query, body] of [
      ['', { content, sticky_duration_ms: 0 }],
      ['', { content, sticky_duration_ms: 1_000, state_key: '' }],
      [`?${STICKY}=1`, { content, [STICKY]: 2 }],
    ] as const) {
      const { status, body: received } = await schedule('x', body, query)
      assert.deepEqual([status, received['errcode']], [400, 'M_INVALID_PARAM'])
    }
    server.rt.clock.advance(5_000)
    await server.workers.delayedEvents.settled()
    await send(alice, 'after')
    server.rt.clock.advance(59_999)
    const { entry } = await sync(bob)
    assert.deepEqual(new Set(bodiesIn(entry)), new Set(['in the body', 'in the query', 'older']))
    assert.equal(entry?.msc4354_sticky?.events[0]?.unsigned['msc4354_sticky_duration_ttl_ms'], 1)
  })

  test('wake a waiting client, and are announced in /versions', async (t) => {
    const { server, alice, bob, stick, sync } = await meeting(open, t)
    const { next } = await sync(bob)
    server.rt.clock.advance(1_000)
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { types: ['m.none'] } } }))
    const waiting = server.call('GET', `${v3}/sync?timeout=3000&filter=${filter}&since=${next}`, { token: bob.token })
    await stick(alice, 'sticky')
    const rooms = (await waiting).body['rooms'] as { join: Record<string, Entry> }
    assert.deepEqual(bodiesIn(Object.values(rooms.join)[0]), ['sticky'])
    const { body } = await server.call('GET', '/_matrix/client/versions')
    assert.equal((body['unstable_features'] as Record<string, boolean>)['org.matrix.msc4354'], true)
  })
})
