// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import { appServiceStage, IRC } from '../../stages/app-service-stage.ts'

const v3 = '/_matrix/client/v3'
const OTHER = { ...IRC, id: 'other', asToken: 'as_token_of_other', hsToken: 'hs_of_other', senderLocalpart: 'other' }
const PROTOCOL = {
  user_fields: ['network', 'nickname'],
  location_fields: ['network', 'channel'],
  icon: 'mxc://one.test/icon',
  field_types: { network: { regexp: '.+', placeholder: 'irc.test' } },
}
const byText = (a: string, b: string) => (a < b ? -1 : 1)
const instance = (network: string) => ({ network_id: network, desc: network, fields: { network } })
const LOCATION = { alias: '#_irc_tea:one.test', protocol: 'irc', fields: { network: 'a', channel: '#tea' } }
const USER = { userid: '@_irc_bob:one.test', protocol: 'irc', fields: { network: 'a', nickname: 'bob' } }

onEveryDatabase('third-party networks', (open) => {
  test('are described by all services that bridge the protocol; bad answers are ignored', async (t) => {
    const broken = { ...OTHER, id: 'broken', asToken: 'c', hsToken: 'broken' }
    const { irc, call, raw, alice } = await appServiceStage(open, t, { services: [IRC, broken, OTHER] })
    irc.answer(({ authorization }) => {
      if (authorization === `Bearer ${broken.hsToken}`) return { status: 200, body: { instances: 'none' } }
      const network = authorization === `Bearer ${IRC.hsToken}` ? 'a' : 'b'
      return { status: 200, body: { ...PROTOCOL, instances: [instance(network), 'no instance'] } }
    })
    const protocols = await call('GET', `${v3}/thirdparty/protocols`, alice.token)
    const protocol = await call('GET', `${v3}/thirdparty/protocol/irc`, alice.token)
    const none = await raw('GET', `${v3}/thirdparty/protocol/fax`, alice.token)
    const instances = [
      { ...instance('a'), instance_id: 'irc|a' },
      { ...instance('b'), instance_id: 'other|b' },
    ]
    assert.deepEqual(protocol, { ...PROTOCOL, instances })
    assert.deepEqual(protocols, { irc: protocol })
    assert.deepEqual([none.status, none.body['errcode']], [404, 'M_NOT_FOUND'])
    assert.ok(irc.got.every(({ path }) => path === '/_matrix/app/v1/thirdparty/protocol/irc'))
    irc.answer(() => 'down')
    assert.deepEqual(await call('GET', `${v3}/thirdparty/protocols`, alice.token), {})
  })

  test('are searched by fields, by alias and by user ID', async (t) => {
    const { irc, raw, alice } = await appServiceStage(open, t, { services: [IRC, OTHER] })
    const app = '/_matrix/app/v1/thirdparty'
    irc.answer(({ path, authorization }) => {
      if (authorization !== `Bearer ${IRC.hsToken}`) return 'down'
      const entries = path.startsWith(`${app}/location`) ? [LOCATION, { alias: 5 }] : [USER, 'nobody']
      return { status: 200, body: entries as unknown as JsonObject }
    })
    const answers = []
    for (const query of [
      'location/irc?channel=%23tea&access_token=mine',
      'user/irc?nickname=b%26b',
      `location?alias=${encodeURIComponent(LOCATION.alias)}`,
      `user?userid=${encodeURIComponent(USER.userid)}`,
    ])
      answers.push((await raw('GET', `${v3}/thirdparty/${query}`, alice.token)).body)
    const asked = irc.got.filter(({ authorization }) => authorization === `Bearer ${IRC.hsToken}`)
    assert.deepEqual(answers, [[LOCATION], [USER], [LOCATION], [USER]])
    assert.deepEqual(
      asked.map(({ path }) => decodeURIComponent(path.slice(app.length))),
      [
        '/location/irc?channel=#tea',
        '/user/irc?nickname=b&b',
        `/location?alias=${LOCATION.alias}`,
        `/user?userid=${USER.userid}`,
      ],
    )
    irc.answer(() => ({ status: 404 }))
    const refused = []
    for (const query of ['location/irc', 'user/fax', 'location?alias=x', 'user?userid=x', 'user', 'location'])
      refused.push((await raw('GET', `${v3}/thirdparty/${query}`, alice.token)).body['errcode'])
    assert.deepEqual(refused, [...Array<string>(4).fill('M_NOT_FOUND'), 'M_MISSING_PARAM', 'M_MISSING_PARAM'])
  })

  test('have a room directory each, which the service fills', async (t) => {
    const { call, raw, alice } = await appServiceStage(open, t, { services: [IRC, OTHER] })
    const made = async (visibility: string) =>
      String((await call('POST', `${v3}/createRoom`, alice.token, { visibility }))['room_id'])
    const [open1, bridged] = [await made('public'), await made('private')]
    const entry = (room: string) => `${v3}/directory/list/appservice/a/${encodeURIComponent(room)}`
    const listed = async (body: JsonObject) => {
      const page = await call('POST', `${v3}/publicRooms`, alice.token, body)
      const rooms = (page['chunk'] as JsonObject[]).map((room) => room['room_id'] as string)
      assert.equal(page['total_room_count_estimate'], rooms.length)
      return rooms.toSorted(byText)
    }
    const refused = [
      await raw('PUT', entry(bridged), alice.token, { visibility: 'public' }),
      await raw('PUT', entry('!none:one.test'), IRC.asToken, { visibility: 'public' }),
      await raw('PUT', entry(bridged), IRC.asToken, { visibility: 'odd' }),
      await raw('PUT', entry(bridged), IRC.asToken, {}),
    ].map(({ status, body }) => [status, body['errcode']])
    assert.deepEqual(await listed({ include_all_networks: true }), [open1])
    await call('PUT', entry(bridged), IRC.asToken, { visibility: 'public' })
    await call('PUT', entry(bridged), IRC.asToken, { visibility: 'public' })
    assert.deepEqual(refused, [
      [403, 'M_FORBIDDEN'],
      [404, 'M_NOT_FOUND'],
      [400, 'M_BAD_JSON'],
      [400, 'M_MISSING_PARAM'],
    ])
    assert.deepEqual(await listed({}), [open1])
    assert.deepEqual(await listed({ third_party_instance_id: 'irc|a' }), [bridged])
    for (const id of ['irc|b', 'other|a', 'irc', 'none|a'])
      assert.deepEqual(await listed({ third_party_instance_id: id }), [])
    assert.deepEqual(await listed({ include_all_networks: true }), [open1, bridged].toSorted(byText))
    await call('PUT', entry(bridged), IRC.asToken, { visibility: 'private' })
    assert.deepEqual(await listed({ third_party_instance_id: 'irc|a' }), [])
  })
})
