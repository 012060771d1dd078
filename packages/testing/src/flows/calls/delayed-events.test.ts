// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const unstable = '/_matrix/client/unstable/org.matrix.msc4140'
const v3 = '/_matrix/client/v3'
type Person = Awaited<ReturnType<TestServer['register']>>

/** Alice and bob in a room of alice. */
async function meeting(open: OpenDatabase, t: TestContext, config: Partial<ServiceConfig> = {}) {
  const server = await testServer(open, config)
  t.after(() => server.close())
  return { server, ...(await people(server)) }
}

async function people(server: TestServer) {
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const { body } = await server.call('POST', `${v3}/createRoom`, {
    token: alice.token,
    body: { preset: 'public_chat' },
  })
  const roomId = String(body['room_id'])
  await server.call('POST', `${v3}/join/${encodeURIComponent(roomId)}`, { token: bob.token, body: {} })
  return { alice, bob, roomId, ...acts(server, roomId) }
}

function acts(server: TestServer, roomId: string) {
  const room = `${v3}/rooms/${encodeURIComponent(roomId)}`
  let serial = 0
  const settled = async <T>(answer: Promise<T>): Promise<T> => {
    const received = await answer
    await server.workers.delayedEvents.settled()
    return received
  }
  const delayed = (who: Person, delayMs: number | string, txn = `t${serial++}`, body: JsonObject = message('later')) =>
    settled(
      server.call('PUT', `${room}/send/m.room.message/${txn}?org.matrix.msc4140.delay=${delayMs}`, { ...who, body }),
    )
  const schedule = async (who: Person, delayMs: number, body?: string) => {
    const answer = await delayed(who, delayMs, undefined, message(body ?? 'later'))
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return String(answer.body['delay_id'])
  }
  const delayedState = (who: Person, type: string, key: string, delayMs: number, body: JsonObject) =>
    settled(server.call('PUT', `${room}/state/${type}/${key}?org.matrix.msc4140.delay=${delayMs}`, { ...who, body }))
  const act = (who: Person, id: string, action: string) =>
    settled(server.call('POST', `${unstable}/delayed_events/${id}/${action}`, { token: who.token }))
  const list = async (who: Person) =>
    (await server.call('GET', `${unstable}/delayed_events`, { token: who.token })).body[
      'delayed_events'
    ] as JsonObject[]
  const events = async (who: Person): Promise<JsonObject[]> => {
    await server.workers.delayedEvents.settled()
    const { body } = await server.call('GET', `${room}/messages?dir=b&limit=20`, { token: who.token })
    return body['chunk'] as JsonObject[]
  }
  const bodies = async (who: Person) =>
    (await events(who))
      .map(({ content }) => (content as JsonObject)['body'])
      .filter((body) => body !== undefined)
      .toReversed()
  return { room, delayed, schedule, delayedState, act, list, events, bodies }
}

const message = (body: string): JsonObject => ({ msgtype: 'm.text', body })

onEveryDatabase('delayed events', (open) => {
  test('are sent when their time has come, once, and not before', async (t) => {
    const { server, alice, schedule, bodies, list } = await meeting(open, t)
    await schedule(alice, 5_000, 'second')
    await schedule(alice, 2_000, 'first')
    server.rt.clock.advance(1_999)
    assert.deepEqual(await bodies(alice), [])
    server.rt.clock.advance(1)
    assert.deepEqual(await bodies(alice), ['first'])
    server.rt.clock.advance(3_000)
    assert.deepEqual(await bodies(alice), ['first', 'second'])
    server.rt.clock.advance(60_000)
    assert.deepEqual(await bodies(alice), ['first', 'second'])
    assert.deepEqual(await list(alice), [])
  })

  test('carry their delay id for their sender, and for nobody else', async (t) => {
    const { server, alice, bob, schedule, events } = await meeting(open, t)
    const id = await schedule(alice, 1_000)
    server.rt.clock.advance(1_000)
    const unsigned = async (who: Person) => (await events(who))[0]?.['unsigned'] as JsonObject
    assert.equal((await unsigned(alice))['org.matrix.msc4140.delay_id'], id)
    assert.equal('org.matrix.msc4140.delay_id' in (await unsigned(bob)), false)
    assert.equal('transaction_id' in (await unsigned(alice)), false)
  })

  test('are listed for their owner only, one by one too', async (t) => {
    const { server, alice, bob, schedule, list, roomId } = await meeting(open, t)
    const id = await schedule(alice, 5_000)
    const now = server.rt.clock.now()
    const shown = {
      delay_id: id,
      room_id: roomId,
      type: 'm.room.message',
      content: message('later'),
      delay_ms: 5_000,
      delayed_since_ts: now,
    }
    assert.deepEqual(await list(alice), [{ ...shown, delay: 5_000, running_since: now }])
    assert.deepEqual(await list(bob), [])
    const one = (who: Person) => server.call('GET', `${unstable}/delayed_events/${id}`, { token: who.token })
    assert.deepEqual((await one(alice)).body, shown)
    assert.deepEqual([(await one(bob)).status, (await one(bob)).body['errcode']], [404, 'M_NOT_FOUND'])
  })

  test('wait anew after a restart, go away when cancelled, and go at once when sent', async (t) => {
    const { server, alice, schedule, act, bodies, list } = await meeting(open, t)
    const [put, gone, sent] = [
      await schedule(alice, 5_000, 'put off'),
      await schedule(alice, 5_000),
      await schedule(alice, 5_000, 'sent'),
    ]
    server.rt.clock.advance(4_000)
    assert.equal((await act(alice, put, 'restart')).status, 200)
    assert.equal((await act(alice, gone, 'cancel')).status, 200)
    assert.equal((await act(alice, sent, 'send')).status, 200)
    assert.deepEqual(await bodies(alice), ['sent'])
    server.rt.clock.advance(4_999)
    assert.deepEqual(await bodies(alice), ['sent'])
    assert.equal((await list(alice)).length, 1)
    server.rt.clock.advance(1)
    assert.deepEqual(await bodies(alice), ['sent', 'put off'])
    for (const id of [put, gone, sent, 'myd_unknown'])
      for (const action of ['restart', 'cancel', 'send'])
        assert.equal((await act(alice, id, action)).body['errcode'], 'M_NOT_FOUND')
  })

  test('obey no one but their owner, and no unknown action', async (t) => {
    const { server, alice, bob, schedule, act, list } = await meeting(open, t)
    const id = await schedule(alice, 5_000)
    for (const action of ['restart', 'cancel', 'send']) assert.equal((await act(bob, id, action)).status, 404)
    assert.equal((await server.call('POST', `${unstable}/delayed_events/${id}/cancel`)).status, 401)
    const old = (body: JsonObject) =>
      server.call('POST', `${unstable}/delayed_events/${id}`, { token: alice.token, body })
    assert.deepEqual(
      [(await old({ action: 'explode' })).status, (await old({ action: 'explode' })).body['errcode']],
      [400, 'M_INVALID_PARAM'],
    )
    assert.deepEqual([(await old({})).status, (await old({})).body['errcode']], [400, 'M_MISSING_PARAM'])
    assert.equal((await list(alice)).length, 1)
    assert.equal((await old({ action: 'cancel' })).status, 200)
    assert.deepEqual(await list(alice), [])
  })

  test('scheduled twice with one transaction id are one, also after they were sent', async (t) => {
    const { server, alice, delayed, bodies } = await meeting(open, t)
    const first = await delayed(alice, 1_000, 'same')
    assert.deepEqual((await delayed(alice, 1_000, 'same')).body, first.body)
    server.rt.clock.advance(1_000)
    assert.deepEqual(await bodies(alice), ['later'])
    assert.deepEqual((await delayed(alice, 1_000, 'same')).body, first.body)
    server.rt.clock.advance(1_000)
    assert.deepEqual(await bodies(alice), ['later'])
  })

  test('set state, by either request, and are not cancelled by newer state of somebody else', async (t) => {
    const { server, alice, bob, delayedState, roomId, room } = await meeting(open, t)
    const levels = { state_default: 0 }
    await server.call('PUT', `${room}/state/m.room.power_levels`, { token: alice.token, body: levels })
    assert.equal((await delayedState(alice, 'test.state', 'one', 1_000, { by: 'alice' })).status, 200)
    const path = `${unstable}/rooms/${encodeURIComponent(roomId)}/delayed_event/test.state/txn`
    const other = await server.call('PUT', path, {
      token: alice.token,
      body: { delay_ms: 1_000, state_key: 'two', content: { by: 'alice' } },
    })
    assert.equal(other.status, 200, JSON.stringify(other.body))
    await server.call('PUT', `${room}/state/test.state/one`, { token: bob.token, body: { by: 'bob' } })
    server.rt.clock.advance(1_000)
    await server.workers.delayedEvents.settled()
    for (const key of ['one', 'two'])
      assert.deepEqual((await server.call('GET', `${room}/state/test.state/${key}`, { token: alice.token })).body, {
        by: 'alice',
      })
  })

  test('are refused where the event could not be sent now, but not a change of the own membership', async (t) => {
    const { server, bob, delayedState, delayed, list } = await meeting(open, t)
    const refused = await delayedState(bob, 'm.room.name', '', 1_000, { name: 'Mine' })
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
    const malformed = await delayed(bob, 1_000, 'bad', { msgtype: 'm.text' })
    assert.deepEqual([malformed.status, malformed.body['errcode']], [400, 'M_BAD_JSON'])
    assert.deepEqual(await list(bob), [])
    const carol = await server.register('carol')
    assert.equal((await delayed(carol, 1_000)).status, 403)
    assert.equal((await delayedState(carol, 'm.room.member', carol.userId, 1_000, { membership: 'join' })).status, 200)
    const long = { membership: 'join', displayname: 'b'.repeat(257) }
    assert.equal((await delayedState(bob, 'm.room.member', bob.userId, 1_000, long)).status, 400)
    assert.equal((await delayedState(bob, 'm.room.member', bob.userId, 1_000, { membership: 'leave' })).status, 200)
    server.rt.clock.advance(1_000)
    await server.workers.delayedEvents.settled()
    const joined = await server.call('GET', `${v3}/joined_rooms`, { token: bob.token })
    assert.deepEqual(joined.body['joined_rooms'], [])
    const rooms = await server.call('GET', `${v3}/joined_rooms`, { token: carol.token })
    assert.equal((rooms.body['joined_rooms'] as string[]).length, 1)
  })

  test('that the room refuses by then are dropped, and delay no others', async (t) => {
    const { server, alice, bob, schedule, bodies, list, room } = await meeting(open, t)
    await schedule(bob, 1_000, 'of bob')
    await schedule(alice, 1_500, 'of alice')
    await server.call('POST', `${room}/kick`, { token: alice.token, body: { user_id: bob.userId } })
    server.rt.clock.advance(2_000)
    assert.deepEqual(await bodies(alice), ['of alice'])
    assert.deepEqual(await list(bob), [])
  })

  test('have bounds: no delay that is not positive or too long, and a number per user', async (t) => {
    const config = { delayedEvents: { maxDelayMs: 10_000, maxPerUser: 3 } }
    const { alice, delayed, server } = await meeting(open, t, config)
    for (const delay of [0, -1]) {
      const { status, body } = await delayed(alice, delay)
      assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'])
    }
    const long = await delayed(alice, 10_001)
    assert.deepEqual([long.status, long.body['errcode']], [400, 'M_UNKNOWN'])
    assert.equal(long.body['org.matrix.msc4140.errcode'], 'M_MAX_DELAY_EXCEEDED')
    assert.equal(long.body['org.matrix.msc4140.max_delay'], 10_000)
    for (let number = 0; number < 3; number++) assert.equal((await delayed(alice, 10_000)).status, 200)
    const more = await delayed(alice, 10_000)
    assert.deepEqual(
      [more.status, more.body['errcode'], more.body['retry_after_ms']],
      [429, 'M_LIMIT_EXCEEDED', 10_000],
    )
    const { body } = await server.call('GET', `${v3}/capabilities`, { token: alice.token })
    const capabilities = body['capabilities'] as JsonObject
    assert.deepEqual(capabilities['org.matrix.msc4140.delayed_events'], { max_delay_ms: 10_000, max_scheduled: 3 })
  })

  test('can be disabled', async (t) => {
    const { alice, delayed } = await meeting(open, t, { delayedEvents: { maxDelayMs: 0, maxPerUser: 100 } })
    const { status, body } = await delayed(alice, 1_000)
    assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
  })

  test('end with the account', async (t) => {
    const { server, bob, alice, schedule, bodies } = await meeting(open, t)
    await schedule(bob, 1_000, 'of bob')
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'correct horse' }
    const gone = await server.call('POST', `${v3}/account/deactivate`, { token: bob.token, body: { auth } })
    assert.equal(gone.status, 200, JSON.stringify(gone.body))
    server.rt.clock.advance(1_000)
    assert.deepEqual(await bodies(alice), [])
  })

  test('that became due while the server was down are sent at its start', async (t) => {
    const opened = await open({ committed: () => {} })
    t.after(() => opened.close())
    const again: OpenDatabase = async () => ({ ...opened, close: async () => {} })
    const first = await meeting(again, t)
    await first.schedule(first.alice, 30_000, 'late')
    await first.server.close()
    const second = await testServer(again, {})
    t.after(() => second.close())
    second.rt.clock.advance(60_000)
    assert.deepEqual(await acts(second, first.roomId).bodies(first.alice), ['late'])
  })
})
