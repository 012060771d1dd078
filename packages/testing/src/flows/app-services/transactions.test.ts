// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import { appServiceStage, IRC } from '../../stages/app-service-stage.ts'

const v3 = '/_matrix/client/v3'
const BOB = '@_irc_bob:one.test'
const AS_BOB = `user_id=${encodeURIComponent(BOB)}`

async function bridgedRoom(stage: Awaited<ReturnType<typeof appServiceStage>>) {
  const { call, alice } = stage
  const type = 'm.login.application_service'
  await call('POST', `${v3}/register`, IRC.asToken, { type, username: '_irc_bob', inhibit_login: true })
  const room = String((await call('POST', `${v3}/createRoom`, alice.token, { preset: 'public_chat' }))['room_id'])
  const path = `${v3}/rooms/${encodeURIComponent(room)}`
  let serial = 0
  const say = (body: string) =>
    call('PUT', `${path}/send/m.room.message/${++serial}`, alice.token, { msgtype: 'm.text', body })
  return { room, path, say }
}

const membershipIn = (event: JsonObject | undefined) =>
  event && stringMember(event['content'] as JsonObject, 'membership')

const textsIn = (events: readonly JsonObject[]) =>
  events.map((event) => (event['content'] as JsonObject)['body'] ?? event['type'])

onEveryDatabase('transactions', (open) => {
  test('bring the events of rooms with a user of the service, from their join to their leave', async (t) => {
    const stage = await appServiceStage(open, t)
    const { call, irc, settled, alice } = stage
    const { path, say, room } = await bridgedRoom(stage)
    await say('before')
    await call('POST', `${path}/join?${AS_BOB}`, IRC.asToken, {})
    await say('during')
    await settled()
    await call('POST', `${path}/kick`, alice.token, { user_id: BOB })
    await say('after')
    await settled()
    const events = irc.events()
    assert.deepEqual(textsIn(events), ['m.room.member', 'during', 'm.room.member'])
    assert.ok(events.every((event) => event['room_id'] === room && typeof event['event_id'] === 'string'))
    const kick = events.at(-1)?.['unsigned'] as JsonObject
    assert.deepEqual((kick['prev_content'] as JsonObject)['membership'], 'join')
    assert.deepEqual(
      irc.got.map(({ method, authorization }) => [method, authorization]),
      irc.got.map(() => ['PUT', `Bearer ${IRC.hsToken}`]),
    )
    const numbers = irc.got.map(({ path: at }) => at.split('/').at(-1))
    assert.equal(new Set(numbers).size, numbers.length)
  })

  test('bring an invite, and the events of a room with an alias of the service', async (t) => {
    const stage = await appServiceStage(open, t)
    const { call, irc, settled, alice } = stage
    const { path, say } = await bridgedRoom(stage)
    await call('POST', `${path}/invite`, alice.token, { user_id: BOB })
    await say('not yet')
    await settled()
    const invites = irc.events()
    await call('POST', `${v3}/createRoom`, IRC.asToken, { room_alias_name: '_irc_tea', preset: 'public_chat' })
    await call('POST', `${v3}/join/${encodeURIComponent('#_irc_tea:one.test')}`, alice.token, {})
    await settled()
    assert.deepEqual(textsIn(invites), ['m.room.member'])
    assert.equal(membershipIn(invites[0]), 'invite')
    const joined = irc.events().find((event) => event['state_key'] === alice.userId && event !== invites[0])
    assert.equal(membershipIn(joined), 'join')
  })

  test('are sent again with the same number and content until they are taken, then in order', async (t) => {
    const stage = await appServiceStage(open, t)
    const { call, irc, settled, server } = stage
    const { path, say } = await bridgedRoom(stage)
    await call('POST', `${path}/join?${AS_BOB}`, IRC.asToken, {})
    await settled()
    irc.got.length = 0
    let isDown = true
    irc.answer(() => (isDown ? 'down' : { status: 200 }))
    await say('first')
    await settled()
    irc.answer(() => ({ status: 500 }))
    await say('second')
    server.rt.clock.advance(1_000)
    await settled()
    isDown = false
    irc.answer(() => ({ status: 200 }))
    server.rt.clock.advance(2_000)
    await settled()
    const tried = irc.got.map(({ path: at, body }) => [at, ...textsIn(body['events'] as JsonObject[])])
    const [first, again, third, last] = tried
    assert.equal(tried.length, 4)
    assert.deepEqual(again, first)
    assert.deepEqual(third, first)
    assert.deepEqual(first?.slice(1), ['first'])
    assert.deepEqual(last?.slice(1), ['second'])
    assert.notEqual(last?.[0], first?.[0])
  })

  test('are at most 100 events each, none is lost and none is sent twice', async (t) => {
    const stage = await appServiceStage(open, t)
    const { call, irc, settled, server } = stage
    const { path, say } = await bridgedRoom(stage)
    await call('POST', `${path}/join?${AS_BOB}`, IRC.asToken, {})
    await settled()
    irc.answer(() => 'down')
    const said: string[] = []
    for (let number = 0; number < 230; number++) {
      said.push(`message ${number}`)
      await say(`message ${number}`)
    }
    await settled()
    irc.answer(() => ({ status: 200 }))
    irc.taken.length = 0
    for (let minute = 0; minute < 10; minute++) {
      server.rt.clock.advance(60_000)
      await settled()
    }
    assert.deepEqual(textsIn(irc.events()), said)
    assert.ok(irc.taken.every(({ body }) => (body['events'] as JsonObject[]).length <= 100))
  })
})

onEveryDatabase('an application service that is asked', (open) => {
  test('creates the room of an alias while it is asked for it', async (t) => {
    const { irc, call, raw, alice } = await appServiceStage(open, t)
    irc.answer(async ({ path }) => {
      if (!path.startsWith('/_matrix/app/v1/rooms/')) return { status: 200 }
      if (path !== `/_matrix/app/v1/rooms/${encodeURIComponent('#_irc_tea:one.test')}`) return { status: 404 }
      await call('POST', `${v3}/createRoom`, IRC.asToken, { room_alias_name: '_irc_tea' })
      return { status: 200 }
    })
    const resolve = (alias: string) => raw('GET', `${v3}/directory/room/${encodeURIComponent(alias)}`, alice.token)
    const [known, unknown, foreign] = [
      await resolve('#_irc_tea:one.test'),
      await resolve('#_irc_none:one.test'),
      await resolve('#other:one.test'),
    ]
    const asked = irc.got.filter(({ method }) => method === 'GET').length
    assert.deepEqual([known.status, unknown.status, foreign.status], [200, 404, 404])
    assert.equal(asked, 2)
  })

  test('is asked for an invited user of its namespace that is not registered', async (t) => {
    const { irc, call, alice, settled } = await appServiceStage(open, t)
    irc.answer(async ({ path }) => {
      const register = { type: 'm.login.application_service', username: '_irc_new', inhibit_login: true }
      if (path.startsWith('/_matrix/app/v1/users/')) await call('POST', `${v3}/register`, IRC.asToken, register)
      return { status: 200 }
    })
    await call('POST', `${v3}/createRoom`, alice.token, { invite: ['@_irc_new:one.test'] })
    await settled()
    const as = `user_id=${encodeURIComponent('@_irc_new:one.test')}`
    assert.deepEqual(
      irc.got.map(({ path }) => path.replace(/\d+$/, 'N')),
      [`/_matrix/app/v1/users/${encodeURIComponent('@_irc_new:one.test')}`, '/_matrix/app/v1/transactions/N'],
    )
    assert.equal((await call('GET', `${v3}/account/whoami?${as}`, IRC.asToken))['user_id'], '@_irc_new:one.test')
  })

  test('is pinged when it asks for it', async (t) => {
    const { irc, raw, alice } = await appServiceStage(open, t)
    const ping = (token: string, id = 'irc') =>
      raw('POST', `/_matrix/client/v1/appservice/${id}/ping`, token, { transaction_id: 'mine' })
    const fine = await ping(IRC.asToken)
    irc.answer(() => ({ status: 403, body: { errcode: 'M_FORBIDDEN' } }))
    const refused = await ping(IRC.asToken)
    irc.answer(() => 'down')
    const dead = await ping(IRC.asToken)
    const others = [await ping(alice.token), await ping(IRC.asToken, 'other')]
    assert.equal(fine.status, 200)
    assert.equal(typeof fine.body['duration_ms'], 'number')
    assert.deepEqual(irc.got[0]?.body, { transaction_id: 'mine' })
    assert.equal(irc.got[0]?.path, '/_matrix/app/v1/ping')
    assert.deepEqual([refused.status, refused.body['errcode'], refused.body['status']], [502, 'M_BAD_STATUS', 403])
    assert.deepEqual([dead.status, dead.body['errcode']], [502, 'M_CONNECTION_FAILED'])
    for (const other of others) assert.deepEqual([other.status, other.body['errcode']], [403, 'M_FORBIDDEN'])
  })
})
