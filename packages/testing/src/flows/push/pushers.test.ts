// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import { pusher, pushStage, URL_OF_GATEWAY, v3 } from '../../stages/push-stage.ts'
import type { Person } from '../../stages/push-stage.ts'

onEveryDatabase('pushers', (open) => {
  test('are refused where they could not work', async (t) => {
    const { bob, raw, call } = await pushStage(open, t)
    const { data: _data, ...withoutData } = pusher()
    const { kind: _kind, ...withoutKind } = pusher()
    const url = (text: string) => pusher({ data: { url: text } })
    const cases: readonly (readonly [JsonObject, string])[] = [
      [withoutData, 'M_MISSING_PARAM'],
      [withoutKind, 'M_MISSING_PARAM'],
      [pusher({ data: {} }), 'M_MISSING_PARAM'],
      [url('https://push.test/another/path'), 'M_MISSING_PARAM'],
      [url('ftp://push.test/_matrix/push/v1/notify'), 'M_MISSING_PARAM'],
      [url('no URL'), 'M_MISSING_PARAM'],
      [pusher({ kind: 'pigeon' }), 'M_INVALID_PARAM'],
      [pusher({ kind: 'email', app_id: 'm.email', pushkey: 'bob@example.org', data: {} }), 'M_THREEPID_NOT_FOUND'],
      [pusher({ app_id: 'a'.repeat(65) }), 'M_INVALID_PARAM'],
      [pusher({ pushkey: 'k'.repeat(513) }), 'M_INVALID_PARAM'],
      [pusher({ lang: 'l'.repeat(300) }), 'M_INVALID_PARAM'],
      [pusher({ data: { url: URL_OF_GATEWAY, more: 'x'.repeat(9_000) } }), 'M_INVALID_PARAM'],
    ]
    for (const [body, errcode] of cases) {
      const answer = await raw('POST', 'pushers/set', bob, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [400, errcode], JSON.stringify(body).slice(0, 200))
    }
    assert.deepEqual(await call('GET', 'pushers', bob), { pushers: [] })
    for (let number = 0; number < 100; number++)
      await call('POST', 'pushers/set', bob, pusher({ pushkey: `key ${number}` }))
    assert.equal((await raw('POST', 'pushers/set', bob, pusher())).status, 400)
    await call('POST', 'pushers/set', bob, pusher({ pushkey: 'key 7', lang: 'fr' }))
  })

  test('are removed when another user registers the same phone, unless `append` is true', async (t) => {
    const { alice, bob, call } = await pushStage(open, t)
    const keys = async (who: Person) =>
      ((await call('GET', 'pushers', who)) as { pushers: JsonObject[] }).pushers.map(({ pushkey }) => pushkey)
    await call('POST', 'pushers/set', bob, pusher())
    await call('POST', 'pushers/set', alice, pusher({ append: true }))
    assert.deepEqual([await keys(alice), await keys(bob)], [['key'], ['key']])
    await call('POST', 'pushers/set', alice, pusher())
    assert.deepEqual([await keys(alice), await keys(bob)], [['key'], []])
    await call('POST', 'pushers/set', alice, { app_id: 'test.app', pushkey: 'key', kind: null })
    assert.deepEqual(await keys(alice), [])
  })

  test('go with the device that set them', async (t) => {
    const { server, bob, call, alice, say, pushed } = await pushStage(open, t)
    const login = await server.call('POST', `${v3}/login`, {
      body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'correct horse' },
    })
    const phone = {
      userId: bob.userId,
      deviceId: String(login.body['device_id']),
      token: String(login.body['access_token']),
    }
    await call('POST', 'pushers/set', phone, pusher())
    await call('POST', 'pushers/set', bob, pusher({ pushkey: 'stays' }))
    await call('POST', 'logout', phone, {})
    const { pushers } = (await call('GET', 'pushers', bob)) as { pushers: JsonObject[] }
    assert.deepEqual(
      pushers.map(({ pushkey }) => pushkey),
      ['stays'],
    )
    await say(alice, 'once')
    assert.deepEqual(await pushed(), ['once'])
  })

  test('stay with their device when another one disables them', async (t) => {
    const { server, bob, call, alice, say, pushed } = await pushStage(open, t)
    const login = await server.call('POST', `${v3}/login`, {
      body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'correct horse' },
    })
    const laptop = { ...bob, deviceId: String(login.body['device_id']), token: String(login.body['access_token']) }
    const listed = async () => {
      const { pushers } = (await call('GET', 'pushers', bob)) as { pushers: JsonObject[] }
      return pushers.map((each) => [each['org.matrix.msc3881.device_id'], each['org.matrix.msc3881.enabled']])
    }
    await call('POST', 'pushers/set', bob, pusher())
    await call('POST', 'pushers/set', laptop, pusher({ 'org.matrix.msc3881.enabled': false }))
    assert.deepEqual(await listed(), [[bob.deviceId, false]])
    await say(alice, 'unheard')
    await call('POST', 'pushers/set', laptop, pusher({ 'org.matrix.msc3881.enabled': true }))
    await call('POST', 'logout', laptop, {})
    assert.deepEqual(await listed(), [[bob.deviceId, true]])
    await say(alice, 'heard')
    assert.deepEqual(await pushed(), ['heard'])
  })
})
