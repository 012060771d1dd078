// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { SlidingClient } from '../../clients/sliding-client.ts'
import { onEveryDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
const SLIDING = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync'
const PROFILES = 'org.matrix.msc4262.profiles'
const STATUS = 'org.example.status'
type Person = Awaited<ReturnType<TestServer['register']>>
type Body = Record<string, unknown>

onEveryDatabase('profiles in sync', (open) => {
  describe('of users who share a room', () => {
    let server: TestServer
    let alice: Person
    let bob: Person
    let carol: Person
    let room: string
    const settings = { ...testConfig.profiles, isInSync: true }
    const call = async (method: string, path: string, { token }: Person, body?: unknown): Promise<Body> => {
      const answer = await server.call(method, path, { token, ...(body === undefined ? {} : { body }) })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body
    }
    const filterOf = (...ids: string[]) =>
      encodeURIComponent(JSON.stringify({ 'org.matrix.msc4429.profile_fields': { ids } }))
    const sync = (who: Person, since?: unknown, filter = filterOf(STATUS, 'displayname'), timeout = 0) =>
      call(
        'GET',
        `${v3}/sync?filter=${filter}&timeout=${timeout}${since === undefined ? '' : `&since=${since as string}`}`,
        who,
      )
    const usersIn = (answer: Body) => answer['org.matrix.msc4429.users']
    const slide = (who: Person, pos?: unknown, more: Body = {}, list: Body = {}) =>
      call('POST', `${SLIDING}?timeout=0${pos === undefined ? '' : `&pos=${pos as string}`}`, who, {
        lists: {
          all: { ranges: [[0, 9]], timeline_limit: 1, required_state: [['m.room.member', '$LAZY']], ...list },
        },
        extensions: { [PROFILES]: { enabled: true, ...more } },
      })
    const slidUsers = (answer: Body) => (answer['extensions'] as Record<string, Body>)[PROFILES]?.['users']
    const set = (who: Person, field: string, value: unknown) =>
      call('PUT', `${v3}/profile/${who.userId}/${field}`, who, { [field]: value })
    const move = (who: Person, path: string) => call('POST', `${v3}/rooms/${room}/${path}`, who, {})

    before(async () => {
      server = await testServer(open, { profiles: settings })
      alice = await server.register('alice')
      bob = await server.register('bob')
      carol = await server.register('carol')
      const created = await call('POST', `${v3}/createRoom`, alice, { preset: 'public_chat' })
      room = encodeURIComponent(String(created['room_id']))
      await move(bob, 'join')
    })
    after(() => server.close())

    test('are all there at first, as far as the filter names their fields', async () => {
      await set(bob, STATUS, { text: 'at lunch' })
      assert.deepEqual(usersIn(await sync(alice)), {
        [alice.userId]: { profile_updates: { displayname: 'alice' } },
        [bob.userId]: { profile_updates: { displayname: 'bob', [STATUS]: { text: 'at lunch' } } },
      })
      assert.deepEqual(usersIn(await sync(alice, undefined, filterOf(STATUS))), {
        [bob.userId]: { profile_updates: { [STATUS]: { text: 'at lunch' } } },
      })
      assert.equal('org.matrix.msc4429.users' in (await sync(alice, undefined, '{}')), false)
    })

    test('are updated field by field, and once', async () => {
      const { next_batch: since } = await sync(alice)
      await set(bob, STATUS, { text: 'back' })
      const next = await sync(alice, since)
      assert.deepEqual(usersIn(next), { [bob.userId]: { profile_updates: { [STATUS]: { text: 'back' } } } })
      assert.equal(usersIn(await sync(alice, next['next_batch'])), undefined)
      await set(bob, STATUS, { text: 'back' })
      assert.equal(usersIn(await sync(alice, next['next_batch'])), undefined, 'the same value is no change')
      await call('DELETE', `${v3}/profile/${bob.userId}/${STATUS}`, bob)
      const gone = { [bob.userId]: { profile_updates: { [STATUS]: null } } }
      assert.deepEqual(usersIn(await sync(alice, next['next_batch'])), gone)
      assert.deepEqual(usersIn(await sync(bob, next['next_batch'])), gone, 'own devices too')
    })

    test('end a wait', async () => {
      const { next_batch: since } = await sync(alice)
      // A device is not answered twice within 20 ms.
      server.rt.clock.advance(20)
      const waiting = sync(alice, since, filterOf(STATUS), 60_000)
      await set(bob, STATUS, 'waking')
      assert.deepEqual(usersIn(await waiting), { [bob.userId]: { profile_updates: { [STATUS]: 'waking' } } })
    })

    test('are hidden from users who share no room', async () => {
      const { next_batch: since } = await sync(carol)
      const { pos } = await slide(carol)
      await set(bob, STATUS, 'secret')
      assert.equal(usersIn(await sync(carol, since)), undefined)
      assert.deepEqual(slidUsers(await slide(carol, pos)), {})
    })

    test('come when a room is shared, and go with the last one', async () => {
      const [{ next_batch: since }, { pos }] = [await sync(carol), await slide(carol)]
      await move(carol, 'join')
      const met = usersIn(await sync(carol, since, filterOf(STATUS)))
      assert.deepEqual(met, { [bob.userId]: { profile_updates: { [STATUS]: 'secret' } } })
      const slid = await slide(carol, pos, { fields: ['displayname'] })
      assert.deepEqual((slidUsers(slid) as Body)[carol.userId], { updated: { displayname: 'carol' } })
      const { next_batch: then } = await sync(bob)
      const { pos: later } = await slide(bob)
      await move(carol, 'leave')
      assert.deepEqual(usersIn(await sync(bob, then)), { [carol.userId]: { profile_updates: null } })
      assert.equal((slidUsers(await slide(bob, later)) as Body)[carol.userId], null)
    })

    test('are in the extension for the users whom a lazily loaded room shows', async () => {
      await call('PUT', `${v3}/rooms/${room}/send/m.room.message/1`, bob, { body: 'hi', msgtype: 'm.text' })
      const first = await slide(alice, undefined, { fields: [STATUS, 'displayname'] })
      const both = {
        [alice.userId]: { updated: { displayname: 'alice' } },
        [bob.userId]: { updated: { displayname: 'bob', [STATUS]: 'secret' } },
      }
      assert.deepEqual(slidUsers(first), both)
      await set(bob, STATUS, 'new')
      const next = await slide(alice, first['pos'], { fields: [STATUS] })
      assert.deepEqual(slidUsers(next), { [bob.userId]: { updated: { [STATUS]: 'new' } } })
      await call('DELETE', `${v3}/profile/${bob.userId}/${STATUS}`, bob)
      const last = await slide(alice, next['pos'])
      assert.deepEqual(slidUsers(last), { [bob.userId]: { removed: [STATUS] } })
      assert.deepEqual(slidUsers(await slide(alice, last['pos'])), {})
      const all = await slide(alice, undefined, { fields: ['displayname'] }, { required_state: [], timeline_limit: 0 })
      assert.deepEqual(Object.keys(slidUsers(all) as Body).sort(), [alice.userId, bob.userId])
    })

    test('are refused to malformed requests', async () => {
      const filter = encodeURIComponent(JSON.stringify({ 'org.matrix.msc4429.profile_fields': { ids: [1] } }))
      const wrong = await server.call('GET', `${v3}/sync?filter=${filter}`, { token: alice.token })
      assert.deepEqual([wrong.status, wrong.body['errcode']], [400, 'M_BAD_JSON'])
      const body = { extensions: { [PROFILES]: { enabled: true, fields: 'displayname' } } }
      const { status, body: answer } = await server.call('POST', SLIDING, { token: alice.token, body })
      assert.deepEqual([status, answer['errcode']], [400, 'M_INVALID_PARAM'])
    })

    test('remember a bounded number of deleted fields', async () => {
      for (let at = 0; at < 102; at++) {
        await set(carol, `x.field${at}`, at)
        await call('DELETE', `${v3}/profile/${carol.userId}/x.field${at}`, carol)
      }
      const rows = await server.rt.db.read.selectFrom('profile_changes').selectAll().execute()
      assert.equal(rows.filter(({ user_id: user }) => user === carol.userId).length, 100)
    })
  })

  describe('too many for one answer', () => {
    const people = async (t: TestContext, maxInAnswer: number) => {
      const server = await testServer(open, { profiles: { ...testConfig.profiles, isInSync: true, maxInAnswer } })
      t.after(() => server.close())
      const alice = await server.register('alice')
      const { body } = await server.call('POST', `${v3}/createRoom`, {
        token: alice.token,
        body: { preset: 'public_chat' },
      })
      const others: Person[] = []
      for (const name of ['bob', 'carol', 'dan', 'erin']) {
        const other = await server.register(name)
        others.push(other)
        await server.call('POST', `${v3}/join/${String(body['room_id'])}`, { token: other.token, body: {} })
      }
      const set = ({ userId, token }: Person, value: unknown) =>
        server.call('PUT', `${v3}/profile/${userId}/${STATUS}`, { token, body: { [STATUS]: value } })
      return { server, alice, others, set }
    }

    test('come with the next ones of /sync, which do not wait, also after a restart', async (t) => {
      const { server, alice, others, set } = await people(t, 2)
      const filter = encodeURIComponent(
        JSON.stringify({ 'org.matrix.msc4429.profile_fields': { ids: [STATUS, 'displayname'] } }),
      )
      const known = new Map<string, Body>()
      const sizes: number[] = []
      let since = ''
      for (let asked = 0; ; asked++) {
        // One who was sent and one who was not, in the middle of it.
        if (asked === 1) for (const person of others) await set(person, 'late')
        server.rt.db.read.caches.clear()
        const wait = asked < 4 ? 60_000 : 0
        const { body } = await server.call('GET', `${v3}/sync?filter=${filter}&timeout=${wait}${since}`, {
          token: alice.token,
        })
        since = `&since=${String(body['next_batch'])}`
        server.rt.clock.advance(20)
        const users = body['org.matrix.msc4429.users'] as Record<string, { profile_updates: Body }> | undefined
        if (users === undefined) break
        sizes.push(Object.keys(users).length)
        for (const [user, { profile_updates: fields }] of Object.entries(users))
          known.set(user, { ...known.get(user), ...fields })
      }
      assert.ok(
        sizes.every((size) => size <= 2),
        JSON.stringify(sizes),
      )
      assert.equal(known.size, 5)
      for (const { userId } of others) assert.equal(known.get(userId)?.[STATUS], 'late', userId)
    })

    test('come with the next ones of sliding sync', async (t) => {
      const { server, alice } = await people(t, 2)
      const phone = new SlidingClient(server, alice.token, 'msc3575')
      const everyone = { ranges: [[0, 9]], timeline_limit: 1, required_state: [['m.room.member', '*']] }
      const wish = { lists: { all: everyone }, extensions: { [PROFILES]: { enabled: true } } }
      for (let asked = 0; ; asked++) {
        server.rt.db.read.caches.clear()
        const users = (await phone.sync(wish)).extensions[PROFILES]?.['users'] ?? {}
        assert.ok(Object.keys(users).length <= 2)
        if (Object.keys(users).length === 0) break
        assert.ok(asked < 6)
      }
      assert.equal(phone.profiles.size, 5)
    })
  })

  test('are left out where the setting is off', async () => {
    const server = await testServer(open)
    const { token, userId } = await server.register('alice')
    const filter = encodeURIComponent(JSON.stringify({ 'org.matrix.msc4429.profile_fields': { ids: ['displayname'] } }))
    const { body } = await server.call('GET', `${v3}/sync?filter=${filter}`, { token })
    assert.equal('org.matrix.msc4429.users' in body, false)
    await server.call('PUT', `${v3}/profile/${userId}/x.status`, { token, body: { 'x.status': 1 } })
    const answer = await server.call('POST', SLIDING, {
      token,
      body: { extensions: { [PROFILES]: { enabled: true } } },
    })
    assert.deepEqual(answer.body['extensions'], {})
    assert.deepEqual(await server.rt.db.read.selectFrom('profile_changes').selectAll().execute(), [])
    await server.close()
  })
})
