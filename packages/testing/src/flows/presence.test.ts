// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { setDevicePresence } from '@myelin/services/runtime/set-presence'
import { onEveryDatabase } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import type { TestServer } from '../server.ts'
import { onTwoServers } from '../two-servers.ts'
import type { Person, TwoServers } from '../two-servers.ts'

type Sync = { readonly next: string; readonly seen: Readonly<Record<string, JsonObject>> }

const statusPath = (userId: string) => `/_matrix/client/v3/presence/${encodeURIComponent(userId)}/status`

async function sync(server: TestServer, who: Person, query = ''): Promise<Sync> {
  const { status, body } = await server.call('GET', `/_matrix/client/v3/sync?timeout=0${query}`, { token: who.token })
  assert.equal(status, 200)
  await server.rt.presence.settled()
  const { events } = body['presence'] as { events: { sender: string; type: string; content: JsonObject }[] }
  assert.ok(events.every(({ type }) => type === 'm.presence'))
  return {
    next: String(body['next_batch']),
    seen: Object.fromEntries(events.map((event) => [event.sender, event.content])),
  }
}

async function statusOf(server: TestServer, viewer: Person, userId: string): Promise<JsonObject> {
  const { status, body } = await server.call('GET', statusPath(userId), { token: viewer.token })
  assert.equal(status, 200)
  return body as JsonObject
}

/** Moves the clock in steps, until all timers have run. */
async function pass({ network, one, two, settled }: TwoServers, ms: number): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 5_000) {
    network.clock.advance(Math.min(5_000, ms - passedMs))
    for (const server of [one(), two()]) await server.rt.presence.settled()
    await settled()
  }
}

const present = (open: OpenDatabase, run: (stage: TwoServers) => Promise<void>) =>
  onTwoServers(open, run, { presence: { isEnabled: true } })

onEveryDatabase('presence', (open) => {
  test('is what a client says, until its user does nothing, or it does not come back', () =>
    present(open, async (stage) => {
      const { alice, one, room } = stage
      await sync(one(), alice)
      assert.deepEqual(await statusOf(one(), alice, alice.userId), {
        presence: 'online',
        last_active_ago: 0,
        currently_active: true,
      })
      for (let minute = 0; minute < 2; minute++) {
        await pass(stage, 25_000)
        await sync(one(), alice)
        await pass(stage, 25_000)
        await sync(one(), alice)
      }
      const quiet = await statusOf(one(), alice, alice.userId)
      assert.deepEqual([quiet['presence'], quiet['currently_active']], ['online', false])
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/send/m.room.message/t1`
      await one().call('PUT', path, { token: alice.token, body: { msgtype: 'm.text', body: 'hello' } })
      await one().rt.presence.settled()
      assert.equal((await statusOf(one(), alice, alice.userId))['currently_active'], true)
      for (let turn = 0; turn < 13; turn++) {
        await pass(stage, 25_000)
        await sync(one(), alice)
      }
      assert.equal((await statusOf(one(), alice, alice.userId))['presence'], 'unavailable')
      await pass(stage, 40_000)
      const gone = await statusOf(one(), alice, alice.userId)
      assert.equal(gone['presence'], 'offline')
      assert.ok((gone['last_active_ago'] as number) > 300_000)
    }))

  test('is that of the device where a user is most present, and their own words last', () =>
    present(open, async (stage) => {
      const { alice, one } = stage
      const login = await one().call('POST', '/_matrix/client/v3/login', {
        body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'correct horse' },
      })
      assert.equal(login.status, 200, JSON.stringify(login.body))
      const phone = { ...alice, deviceId: String(login.body['device_id']), token: String(login.body['access_token']) }
      await sync(one(), alice)
      await sync(one(), phone, '&set_presence=unavailable')
      assert.equal((await statusOf(one(), alice, alice.userId))['presence'], 'online')
      const said = { presence: 'unavailable', status_msg: 'at lunch' }
      assert.equal((await one().call('PUT', statusPath(alice.userId), { token: alice.token, body: said })).status, 200)
      const away = await statusOf(one(), alice, alice.userId)
      assert.deepEqual([away['presence'], away['status_msg']], ['unavailable', 'at lunch'])
      await sync(one(), phone)
      await pass(stage, 5_000)
      const back = await statusOf(one(), alice, alice.userId)
      assert.deepEqual([back['presence'], back['status_msg']], ['online', 'at lunch'])
      await pass(stage, 40_000)
      assert.equal((await statusOf(one(), alice, alice.userId))['presence'], 'offline')
      await one().call('PUT', statusPath(alice.userId), { token: alice.token, body: { presence: 'online' } })
      assert.equal((await statusOf(one(), alice, alice.userId))['status_msg'], undefined)
    }))

  test('is busy until its user says otherwise, whatever syncs say, for an hour without any', () =>
    present(open, async (stage) => {
      const { alice, bob, one, two, network } = stage
      const BUSY = 'org.matrix.msc3026.busy'
      const { next } = await sync(two(), bob, '&set_presence=offline')
      const say = async (presence: string) =>
        (await one().call('PUT', statusPath(alice.userId), { token: alice.token, body: { presence } })).status
      const seen = async () => (await statusOf(one(), alice, alice.userId))['presence']
      const minutes = async (count: number) => {
        for (let minute = 0; minute < count; minute++) {
          network.clock.advance(60_000)
          await one().rt.presence.settled()
        }
      }
      assert.equal(await say(BUSY), 200)
      await sync(one(), alice)
      assert.equal(await seen(), BUSY)
      await pass(stage, 10_000)
      const heard = await sync(two(), bob, `&set_presence=offline&since=${next}`)
      assert.equal(heard.seen[alice.userId]?.['presence'], BUSY)
      await minutes(10)
      await sync(one(), alice, '&set_presence=unavailable')
      assert.equal(await seen(), BUSY, 'neither idle nor gone')
      await minutes(59)
      assert.equal(await seen(), BUSY)
      await minutes(2)
      assert.equal(await seen(), 'offline')
      assert.equal(await say(BUSY), 200)
      assert.equal(await say('online'), 200)
      assert.equal(await seen(), 'online')
      const query = `?set_presence=${BUSY}`
      const refused = await one().call('GET', `/_matrix/client/v3/sync${query}`, { token: alice.token })
      assert.equal(refused.status, 400)
    }))

  test('stays busy where another node, or the node before its restart, recorded it', () =>
    present(open, async (stage) => {
      const { alice, one } = stage
      const state = 'org.matrix.msc3026.busy' as const
      const untilTs = one().rt.clock.now() + 600_000
      const shown = {
        userId: alice.userId as UserId,
        deviceId: alice.deviceId,
        state,
        untilTs,
        isActive: false,
        lastActiveTs: 0,
      }
      await setDevicePresence(one().rt, shown)
      await sync(one(), alice)
      assert.equal((await statusOf(one(), alice, alice.userId))['presence'], state)
      await pass(stage, 60_000)
      assert.equal((await statusOf(one(), alice, alice.userId))['presence'], state)
    }))

  test('reaches who shares a room, here and on other servers, and wakes who waits', () =>
    present(open, async (stage) => {
      const { alice, bob, one, two, room, network } = stage
      const carol = await one().register('carol')
      await room.member(carol.userId, carol.userId, 'join')
      await stage.settled()
      const [atOne, atTwo] = [
        await sync(one(), carol, '&set_presence=offline'),
        await sync(two(), bob, '&set_presence=offline'),
      ]
      assert.deepEqual([atOne.seen, atTwo.seen], [{}, {}])
      const waiting = one().call(
        'GET',
        `/_matrix/client/v3/sync?timeout=30000&set_presence=offline&since=${atOne.next}`,
        {
          token: carol.token,
        },
      )
      await sync(one(), alice)
      for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
      await pass(stage, 2_000)
      const { events } = (await waiting).body['presence'] as { events: { sender: string; content: JsonObject }[] }
      assert.deepEqual(
        events.map(({ sender, content }) => [sender, content['presence']]),
        [[alice.userId, 'online']],
      )
      await pass(stage, 10_000)
      const heard = await sync(two(), bob, `&set_presence=offline&since=${atTwo.next}`)
      assert.deepEqual(Object.keys(heard.seen), [alice.userId])
      assert.equal(heard.seen[alice.userId]?.['presence'], 'online')
      assert.deepEqual((await sync(two(), bob, `&set_presence=offline&since=${heard.next}`)).seen, {})
      assert.equal((await statusOf(two(), bob, alice.userId))['presence'], 'online')
      // The server that said it is silent for half an hour: nobody believes it any more.
      network.partition(['one.test'], ['two.test'])
      for (let minute = 0; minute < 32; minute++) {
        network.clock.advance(60_000)
        await two().rt.presence.settled()
      }
      assert.equal((await statusOf(two(), bob, alice.userId))['presence'], 'offline')
    }))

  test('reaches other servers within a second, and rarely for users who change all the time', () =>
    present(open, async (stage) => {
      const { alice, bob, one, two } = stage
      const say = async (words: string) => {
        const body = { presence: 'unavailable', status_msg: words }
        await one().call('PUT', statusPath(alice.userId), { token: alice.token, body })
        await one().rt.presence.settled()
        await pass(stage, 1_000)
        return (await statusOf(two(), bob, alice.userId))['status_msg']
      }
      for (const words of ['1', '2', '3', '4', '5']) assert.equal(await say(words), words)
      for (const words of ['6', '7']) assert.equal(await say(words), '5')
      await pass(stage, 30_000)
      assert.equal((await statusOf(two(), bob, alice.userId))['status_msg'], '7')
    }))

  test('is not for strangers, nor for others to say', () =>
    present(open, async ({ alice, bob, one, sendEdus }) => {
      const eve = await one().register('eve')
      const ask = (userId: string) => one().call('GET', statusPath(userId), { token: eve.token })
      for (const userId of [alice.userId, bob.userId, '@nobody:one.test']) {
        const { status, body } = await ask(userId)
        assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
      }
      const put = (body: unknown, of = eve.userId) => one().call('PUT', statusPath(of), { token: eve.token, body })
      assert.deepEqual((await put({ presence: 'online' }, alice.userId)).body['errcode'], 'M_FORBIDDEN')
      for (const body of [{}, { presence: 'dancing' }, { presence: 'online', status_msg: 7 }]) {
        assert.equal((await put(body)).status, 400)
      }
      const push = (userId: unknown, presence: unknown = 'online') => ({ user_id: userId, presence })
      const edu = (...pushes: unknown[]) => ({ edu_type: 'm.presence', content: { push: pushes } }) as JsonObject
      await sendEdus(
        edu(push(alice.userId), push('@stranger:two.test'), push(7), push(bob.userId, 'dancing'), 'nonsense', null),
        { edu_type: 'm.presence', content: { push: 'everybody' } },
      )
      assert.equal((await statusOf(one(), alice, bob.userId))['presence'], 'offline')
      assert.equal((await statusOf(one(), alice, alice.userId))['presence'], 'offline')
      const odd = { ...push(bob.userId), last_active_ago: -5, status_msg: 'x'.repeat(5_000), currently_active: 'yes' }
      await sendEdus(edu(odd))
      assert.deepEqual(await statusOf(one(), alice, bob.userId), {
        presence: 'online',
        status_msg: 'x'.repeat(1_000),
        currently_active: false,
      })
    }))

  test('of a user whose node died ends', () =>
    present(open, async (stage) => {
      const { alice, bob, network, one, room } = stage
      const carol = await one().register('carol')
      await room.member(carol.userId, carol.userId, 'join')
      await sync(one(), alice)
      await network.restart('one.test')
      assert.equal((await statusOf(one(), carol, alice.userId))['presence'], 'online')
      for (let minute = 0; minute < 12; minute++) {
        network.clock.advance(60_000)
        await one().rt.presence.settled()
      }
      assert.equal((await statusOf(one(), carol, alice.userId))['presence'], 'offline')
      assert.equal(bob.userId, '@bob:two.test')
    }))

  test('is not sent where presence is turned off', () =>
    onTwoServers(open, async (stage) => {
      const { alice, bob, one, sendEdus } = stage
      await sync(one(), alice)
      await sendEdus({ edu_type: 'm.presence', content: { push: [{ user_id: bob.userId, presence: 'online' }] } })
      const body = { presence: 'online' }
      assert.equal((await one().call('PUT', statusPath(alice.userId), { token: alice.token, body })).status, 200)
      assert.deepEqual((await sync(one(), alice)).seen, {})
      for (const userId of [alice.userId, bob.userId]) {
        assert.deepEqual(await statusOf(one(), alice, userId), { presence: 'offline' })
      }
    }))
})
