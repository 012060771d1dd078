// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { appServiceStage, IRC } from '../../stages/app-service-stage.ts'

const v3 = '/_matrix/client/v3'
const TYPE = 'm.login.application_service'
const BOB = '@_irc_bob:one.test'

onEveryDatabase('an application service', (open) => {
  test('registers users of its namespace only, and acts for those that it registered', async (t) => {
    const { raw, call, server } = await appServiceStage(open, t)
    const register = (username: string, token?: string, more = {}) =>
      server.call('POST', `${v3}/register`, {
        ...(token === undefined ? {} : { token }),
        body: { type: TYPE, username, ...more },
      })
    const whoami = `${v3}/account/whoami?user_id=${encodeURIComponent(BOB)}`
    const early = await raw('GET', whoami, IRC.asToken)
    const made = await register('_irc_bob', IRC.asToken)
    const quiet = await register('_irc_carol', IRC.asToken, { inhibit_login: true })
    const answers = [
      await register('_irc_bob', IRC.asToken),
      await register('somebody', IRC.asToken),
      await register('_irc_dave'),
      await register('_irc_dave', 'no_such_token'),
      await raw('GET', `${v3}/account/whoami?user_id=@alice:one.test`, IRC.asToken),
      await raw('GET', `${whoami}&device_id=NONE`, IRC.asToken),
    ].map(({ status, body }) => [status, body['errcode']])
    assert.deepEqual([early.status, early.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.equal(made.body['user_id'], BOB)
    assert.equal(typeof made.body['access_token'], 'string')
    assert.deepEqual(quiet.body, { user_id: '@_irc_carol:one.test', home_server: 'one.test' })
    assert.deepEqual(answers, [
      [400, 'M_USER_IN_USE'],
      [400, 'M_EXCLUSIVE'],
      [401, 'M_MISSING_TOKEN'],
      [401, 'M_UNKNOWN_TOKEN'],
      [403, 'M_FORBIDDEN'],
      [400, 'M_UNKNOWN_DEVICE'],
    ])
    assert.equal((await call('GET', whoami, IRC.asToken))['user_id'], BOB)
    assert.equal((await call('GET', `${v3}/account/whoami`, IRC.asToken))['user_id'], '@ircbot:one.test')
    const device = `device_id=${String(made.body['device_id'])}`
    assert.equal((await call('GET', `${whoami}&${device}`, IRC.asToken))['device_id'], made.body['device_id'])
  })

  test('cannot make users that other servers refuse, nor act for two', async (t) => {
    const { raw, call } = await appServiceStage(open, t)
    const register = (name: Record<string, unknown>) =>
      raw('POST', `${v3}/register`, IRC.asToken, { type: TYPE, inhibit_login: true, ...name })
    const refused = ['_irc_a b', '_irc_\u00e9', '_irc_a:b', '', undefined].map((username) => register({ username }))
    const old = await register({ user: '_irc_Old', username: 'ignored' })
    const two = await raw('GET', `${v3}/account/whoami?user_id=${BOB}&user_id=@alice:one.test`, IRC.asToken)
    assert.deepEqual(
      (await Promise.all(refused)).map(({ status, body }) => [status, body['errcode']]),
      [...Array<unknown>(4).fill([400, 'M_INVALID_USERNAME']), [400, 'M_MISSING_PARAM']],
    )
    assert.equal(old.body['user_id'], '@_irc_Old:one.test')
    assert.deepEqual([two.status, two.body['errcode']], [400, 'M_INVALID_PARAM'])
    assert.deepEqual(await call('GET', `${v3}/account/whoami`, IRC.asToken), {
      user_id: '@ircbot:one.test',
      is_guest: false,
    })
  })

  test('has no keys without a device, and deactivates its users without a password', async (t) => {
    const { raw, call } = await appServiceStage(open, t)
    await call('POST', `${v3}/register`, IRC.asToken, { type: TYPE, username: '_irc_bob', inhibit_login: true })
    const as = `user_id=${encodeURIComponent(BOB)}`
    const keys = await raw('POST', `${v3}/keys/upload?${as}`, IRC.asToken, {})
    const gone = await raw('POST', `${v3}/account/deactivate?${as}`, IRC.asToken, {})
    const after = await raw('GET', `${v3}/account/whoami?${as}`, IRC.asToken)
    assert.deepEqual([keys.status, keys.body['errcode']], [400, 'M_MISSING_PARAM'])
    assert.equal(gone.status, 200)
    assert.deepEqual([after.status, after.body['errcode']], [403, 'M_FORBIDDEN'])
  })

  test('keeps its namespaces from others', async (t) => {
    const { raw, call, alice } = await appServiceStage(open, t)
    const names = ['_irc_eve', 'ircbot'].map((name) => `${v3}/register/available?username=${name}`)
    const taken = await Promise.all(names.map((path) => raw('GET', path, alice.token)))
    const room = String((await call('POST', `${v3}/createRoom`, alice.token, {}))['room_id'])
    const alias = (name: string) => `${v3}/directory/room/${encodeURIComponent(`#${name}:one.test`)}`
    const refused = await raw('PUT', alias('_irc_tea'), alice.token, { room_id: room })
    const own = String(
      (await call('POST', `${v3}/createRoom`, IRC.asToken, { room_alias_name: '_irc_own' }))['room_id'],
    )
    const outside = await raw('PUT', alias('tea'), IRC.asToken, { room_id: own })
    const named = await raw('POST', `${v3}/createRoom`, alice.token, { room_alias_name: '_irc_named' })
    assert.deepEqual(
      taken.map(({ body }) => body['errcode']),
      ['M_INVALID_USERNAME', 'M_EXCLUSIVE'],
    )
    assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_EXCLUSIVE'])
    assert.deepEqual([outside.status, outside.body['errcode']], [400, 'M_EXCLUSIVE'])
    assert.deepEqual([named.status, named.body['errcode']], [400, 'M_EXCLUSIVE'])
  })

  test('logs its users in, makes devices, and gives events their time', async (t) => {
    const { raw, call, server, alice } = await appServiceStage(open, t)
    await call('POST', `${v3}/register`, IRC.asToken, { type: TYPE, username: '_irc_bob', inhibit_login: true })
    const login = (user: string, token: string) =>
      raw('POST', `${v3}/login`, token, { type: TYPE, identifier: { type: 'm.id.user', user } })
    const [own, foreign] = [await login(BOB, IRC.asToken), await login('alice', IRC.asToken)]
    const flows = await server.call('GET', `${v3}/login`)
    const as = `user_id=${encodeURIComponent(BOB)}`
    const made = await raw('PUT', `${v3}/devices/BRIDGE?${as}`, IRC.asToken, { display_name: 'bridge' })
    const again = await raw('PUT', `${v3}/devices/BRIDGE?${as}`, IRC.asToken, { display_name: 'renamed' })
    const gone = await raw('DELETE', `${v3}/devices/BRIDGE?${as}`, IRC.asToken, {})
    const room = String(
      (await call('POST', `${v3}/createRoom?${as}`, IRC.asToken, { preset: 'public_chat' }))['room_id'],
    )
    const path = `${v3}/rooms/${encodeURIComponent(room)}`
    const body = { msgtype: 'm.text', body: 'earlier' }
    const sent = await call('PUT', `${path}/send/m.room.message/1?${as}&ts=1234567`, IRC.asToken, body)
    const repeated = await call('PUT', `${path}/send/m.room.message/1?${as}&ts=1234567`, IRC.asToken, body)
    const topic = await call('PUT', `${path}/state/m.room.topic?${as}&ts=1234568`, IRC.asToken, { topic: 'old' })
    await call('POST', `${path}/join`, alice.token, {})
    const refused = await raw('PUT', `${path}/send/m.room.message/2?ts=5`, alice.token, body)
    const events = await Promise.all(
      [sent, topic].map((event) => call('GET', `${path}/event/${String(event['event_id'])}`, alice.token)),
    )
    assert.equal(own.body['user_id'], BOB)
    assert.deepEqual([foreign.status, foreign.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.deepEqual(flows.body, { flows: [{ type: 'm.login.password' }, { type: TYPE }] })
    assert.deepEqual([made.status, again.status, gone.status], [201, 200, 200])
    assert.deepEqual(repeated, sent)
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.deepEqual(
      events.map((event) => event['origin_server_ts']),
      [1234567, 1234568],
    )
  })

  test('is not rate-limited where its registration says so', async (t) => {
    const limits = { perSecond: 0.001, burstCount: 2 }
    const { server } = await appServiceStage(open, t)
    server.rt.limits.configure({ ...server.rt.config.rateLimits, message: limits })
    for (let use = 0; use < 5; use++) server.rt.limits.take('message', BOB)
    server.rt.limits.take('message', '@alice:one.test')
    server.rt.limits.take('message', '@alice:one.test')
    assert.throws(() => server.rt.limits.take('message', '@alice:one.test'), { code: 'M_LIMIT_EXCEEDED' })
  })
})
