// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { putAdmin } from '@myelin/storage/accounts/accounts'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import type { Answer, TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
const v1 = '/_synapse/admin/v1'
const v2 = '/_synapse/admin/v2'
const id = (name: string) => `@${name}:one.test`

class Admin {
  readonly server: TestServer
  readonly token: string

  constructor(server: TestServer, token: string) {
    this.server = server
    this.token = token
  }

  call(method: string, path: string, body?: object): Promise<Answer> {
    return this.server.call(method, path, { token: this.token, ...(body ? { body } : {}) })
  }

  /** Returns the localparts of a list of users, and its other members. */
  async list(query: string, version = 'v2'): Promise<{ names: string[]; total: unknown; next: unknown }> {
    const { status, body } = await this.call('GET', `/_synapse/admin/${version}/users?${query}`)
    assert.equal(status, 200)
    const names = (body['users'] as { name: string }[]).map(({ name }) => name.slice(1, name.indexOf(':')))
    return { names, total: body['total'], next: body['next_token'] }
  }
}

async function serverWithAdmin(...[open]: Parameters<typeof testServer>): Promise<Admin> {
  const server = await testServer(open)
  const { token } = await server.register('root')
  await server.rt.db.write((tx) => putAdmin(tx, id('root') as UserId, true))
  return new Admin(server, token)
}

const login = (server: TestServer, user: string, password: string, device?: string) =>
  server.call('POST', `${v3}/login`, {
    body: { type: 'm.login.password', user, password, ...(device === undefined ? {} : { device_id: device }) },
  })

onEveryDatabase('the list of users', (open) => {
  let admin: Admin
  before(async () => {
    admin = await serverWithAdmin(open)
    const people = [
      ['anna', 'Zoe "Z" 100%'],
      ['ben', 'Yan_'],
      ['carl', 'Xu'],
    ]
    for (const [name = '', displayname] of people) {
      admin.server.rt.clock.advance(1000)
      await admin.call('PUT', `${v2}/users/${id(name)}`, { displayname, password: 'pw' })
    }
    await admin.call('PUT', `${v2}/users/${id('gone')}`, {})
    await admin.call('POST', `${v1}/deactivate/${id('gone')}`, { erase: true })
    await admin.call('PUT', `${v2}/users/${id('held')}`, { locked: true })
  })
  after(() => admin.server.close())

  test('is in pages, with a token that is a number as text', async () => {
    const first = await admin.list('limit=2')
    assert.deepEqual(first, { names: ['anna', 'ben'], total: 4, next: '2' })
    const second = await admin.list(`limit=2&from=${String(first.next)}`)
    assert.deepEqual(second, { names: ['carl', 'root'], total: 4, next: undefined })
    assert.deepEqual((await admin.list('from=9')).names, [])
  })

  const lists = [
    ['dir=b', ['root', 'carl', 'ben', 'anna']],
    ['order_by=displayname', ['root', 'carl', 'ben', 'anna'], true],
    ['order_by=creation_ts&dir=b', ['carl', 'ben', 'anna', 'root']],
    ['order_by=admin&dir=b', ['root', 'anna', 'ben', 'carl']],
    ['order_by=locked&dir=b&locked=true', ['held', 'anna', 'ben', 'carl', 'root']],
    ['order_by=user_type&dir=b', ['anna', 'ben', 'carl', 'root']],
    ['name=AN', ['anna', 'ben']],
    ['name=100%25', ['anna']],
    ['name=%25', ['anna']],
    ['name=_', ['ben']],
    ['name=%22z%22', ['anna']],
    ['user_id=RO', ['root']],
    ['admins=true', ['root']],
    ['admins=false', ['anna', 'ben', 'carl']],
    ['guests=false', ['anna', 'ben', 'carl', 'root']],
    ['deactivated=true', ['anna', 'ben', 'carl', 'gone', 'root']],
    ['locked=true', ['anna', 'ben', 'carl', 'held', 'root']],
    ['not_user_type=bot', ['anna', 'ben', 'carl', 'root']],
    ['not_user_type=', []],
  ] as const
  for (const [query, names, isByName] of lists) {
    test(`is filtered and ordered by ${query}`, async () => {
      // "root" has its localpart for a display name, which is in lower case.
      const expected = isByName ? [...names.slice(1), names[0]] : names
      assert.deepEqual((await admin.list(query)).names, expected)
    })
  }

  test('has deactivated users in its third version, all or none of them', async () => {
    assert.deepEqual((await admin.list('', 'v3')).names, ['anna', 'ben', 'carl', 'gone', 'root'])
    assert.deepEqual((await admin.list('deactivated=true', 'v3')).names, ['gone'])
    assert.deepEqual((await admin.list('deactivated=false', 'v3')).names, ['anna', 'ben', 'carl', 'root'])
  })

  test('has times in milliseconds, those of one user are in seconds', async () => {
    const { body } = await admin.call('GET', `${v2}/users?name=carl`)
    const [carl] = body['users'] as Record<string, unknown>[]
    const created = Number(carl?.['creation_ts'])
    assert.deepEqual(carl, {
      name: id('carl'),
      user_type: null,
      is_guest: false,
      admin: false,
      deactivated: false,
      shadow_banned: false,
      displayname: 'Xu',
      avatar_url: null,
      creation_ts: created,
      erased: false,
      last_seen_ts: null,
      locked: false,
    })
    const one = (await admin.call('GET', `${v2}/users/${id('carl')}`)).body
    assert.deepEqual(one, {
      name: id('carl'),
      admin: false,
      deactivated: false,
      locked: false,
      shadow_banned: false,
      creation_ts: Math.floor(created / 1000),
      appservice_id: null,
      consent_server_notice_sent: null,
      consent_version: null,
      consent_ts: null,
      user_type: null,
      is_guest: false,
      suspended: false,
      displayname: 'Xu',
      avatar_url: null,
      threepids: [],
      external_ids: [],
      erased: false,
      last_seen_ts: null,
    })
  })
})

onEveryDatabase('an admin', (open) => {
  let admin: Admin
  let server: TestServer
  before(async () => {
    admin = await serverWithAdmin(open)
    server = admin.server
  })
  after(() => server.close())

  test('creates a user, and changes one', async () => {
    const path = `${v2}/users/${id('new')}`
    const made = await admin.call('PUT', path, {
      password: 'pw',
      displayname: 'New',
      avatar_url: 'mxc://a/b',
      admin: true,
    })
    assert.deepEqual([made.status, made.body['displayname'], made.body['admin']], [201, 'New', true])
    const token = String((await login(server, 'new', 'pw')).body['access_token'])
    const room = String((await server.call('POST', `${v3}/createRoom`, { token, body: {} })).body['room_id'])
    const changed = await admin.call('PUT', path, { displayname: 'Newer', avatar_url: '', admin: false })
    assert.deepEqual([changed.status, changed.body['displayname'], changed.body['avatar_url']], [200, 'Newer', null])
    const member = `${v3}/rooms/${room}/state/m.room.member/${id('new')}`
    const shown = await server.call('GET', member, { token })
    assert.deepEqual(shown.body, { displayname: 'Newer', membership: 'join' })
    const joined = await admin.call('GET', `${v1}/users/${id('new')}/joined_rooms`)
    assert.deepEqual(joined.body, { joined_rooms: [room], total: 1 })
    const { body } = await admin.call('GET', `${v1}/users/${id('new')}/memberships`)
    assert.deepEqual(body, { memberships: { [room]: 'join' } })
  })

  test('replaces a password; devices are logged out unless kept', async () => {
    const { token } = await server.register('pat')
    const whoami = (as: string) => server.call('GET', `${v3}/account/whoami`, { token: as })
    await admin.call('PUT', `${v2}/users/${id('pat')}`, { password: 'two', logout_devices: false })
    assert.equal((await whoami(token)).status, 200)
    const second = String((await login(server, 'pat', 'two')).body['access_token'])
    assert.equal((await admin.call('POST', `${v1}/reset_password/${id('pat')}`, { new_password: 'three' })).status, 200)
    assert.deepEqual([(await whoami(token)).status, (await whoami(second)).status], [401, 401])
    assert.equal((await login(server, 'pat', 'two')).status, 403)
    assert.equal((await login(server, 'pat', 'three')).status, 200)
  })

  test('deactivates a user, and activates the account again', async () => {
    const { token } = await server.register('dee')
    const path = `${v2}/users/${id('dee')}`
    const gone = await admin.call('POST', `${v1}/deactivate/${id('dee')}`)
    assert.deepEqual([gone.status, gone.body], [200, { id_server_unbind_result: 'success' }])
    assert.equal((await server.call('GET', `${v3}/account/whoami`, { token })).status, 401)
    assert.equal((await admin.call('GET', path)).body['deactivated'], true)
    const back = await admin.call('PUT', path, { deactivated: false, password: 'pw', displayname: 'Dee' })
    assert.deepEqual([back.body['deactivated'], back.body['displayname']], [false, 'Dee'])
    assert.equal((await login(server, 'dee', 'pw')).status, 200)
    const again = await admin.call('PUT', path, { deactivated: true })
    assert.deepEqual([again.body['deactivated'], again.body['erased']], [true, false])
    assert.equal((await login(server, 'dee', 'pw')).status, 403)
  })

  test('suspends a user; makes an admin', async () => {
    await server.register('sue')
    const path = `${v2}/users/${id('sue')}`
    const suspended = await admin.call('PUT', `${v1}/suspend/${id('sue')}`, { suspend: true })
    assert.deepEqual(suspended.body, { [`user_${id('sue')}_suspended`]: true })
    assert.equal((await admin.call('GET', path)).body['suspended'], true)
    assert.deepEqual((await admin.call('GET', `${v1}/users/${id('sue')}/admin`)).body, { admin: false })
    assert.deepEqual((await admin.call('PUT', `${v1}/users/${id('sue')}/admin`, { admin: true })).body, {})
    assert.deepEqual((await admin.call('GET', `${v1}/users/${id('sue')}/admin`)).body, { admin: true })
  })

  test('acts as a user, until the time given or a new password', async () => {
    await server.register('tim')
    const path = `${v1}/users/${id('tim')}/login`
    const whoami = (token: string) => server.call('GET', `${v3}/account/whoami`, { token })
    const until = server.rt.clock.now() + 1000
    const short = String((await admin.call('POST', path, { valid_until_ms: until })).body['access_token'])
    const long = String((await admin.call('POST', path)).body['access_token'])
    assert.equal((await whoami(short)).body['user_id'], id('tim'))
    assert.equal((await server.call('POST', `${v3}/createRoom`, { token: long, body: {} })).status, 200)
    assert.equal((await server.call('GET', `${v3}/sync`, { token: long })).status, 200)
    const { body } = await admin.call('GET', `${v2}/users/${id('tim')}/devices`)
    assert.equal(body['total'], 1)
    server.rt.clock.advance(1001)
    assert.deepEqual([(await whoami(short)).status, (await whoami(long)).status], [401, 200])
    await admin.call('POST', `${v1}/reset_password/${id('tim')}`, { new_password: 'x' })
    assert.equal((await whoami(long)).status, 401)
    const third = String((await admin.call('POST', path)).body['access_token'])
    const own = String((await login(server, 'tim', 'x')).body['access_token'])
    const auth = { type: 'm.login.password', user: 'tim', password: 'x' }
    const changed = { token: own, body: { new_password: 'y', auth } }
    assert.equal((await server.call('POST', `${v3}/account/password`, changed)).status, 200)
    assert.deepEqual([(await whoami(third)).status, (await whoami(own)).status], [401, 200])
  })

  test('sees, names, creates and deletes devices', async () => {
    const { deviceId, token } = await server.register('dev')
    const path = `${v2}/users/${id('dev')}/devices`
    const made = await admin.call('POST', path, { device_id: 'MADE' })
    assert.deepEqual([made.status, made.body], [201, {}])
    assert.equal((await admin.call('PUT', `${path}/MADE`, { display_name: 'made' })).status, 200)
    assert.deepEqual((await admin.call('GET', `${path}/MADE`)).body, {
      user_id: id('dev'),
      device_id: 'MADE',
      display_name: 'made',
      last_seen_user_agent: null,
      last_seen_ts: null,
      last_seen_ip: null,
    })
    assert.equal((await admin.call('GET', path)).body['total'], 2)
    assert.deepEqual((await admin.call('DELETE', `${path}/MADE`)).body, {})
    assert.equal((await admin.call('GET', `${path}/MADE`)).status, 404)
    const many = { devices: [deviceId, 'NEVER'] }
    assert.equal((await admin.call('POST', `${v2}/users/${id('dev')}/delete_devices`, many)).status, 200)
    assert.equal((await server.call('GET', `${v3}/account/whoami`, { token })).status, 401)
  })

  test('sees pushers, account data, connections and the version', async () => {
    const { token, deviceId } = await server.register('pia')
    const pusher = {
      app_id: 'a',
      pushkey: 'k',
      kind: 'http',
      app_display_name: 'A',
      device_display_name: 'D',
      lang: 'en',
    }
    const body = { ...pusher, data: { url: 'https://push.test/_matrix/push/v1/notify' } }
    assert.equal((await server.call('POST', `${v3}/pushers/set`, { token, body })).status, 200)
    const pushers = await admin.call('GET', `${v1}/users/${id('pia')}/pushers`)
    const shown = { ...body, profile_tag: '', enabled: true, device_id: deviceId }
    assert.deepEqual(pushers.body, { pushers: [shown], total: 1 })
    await server.call('PUT', `${v3}/user/${id('pia')}/account_data/x`, { token, body: { a: 1 } })
    const { body: data } = await admin.call('GET', `${v1}/users/${id('pia')}/accountdata`)
    const { global, rooms } = data['account_data'] as { global: Record<string, unknown>; rooms: object }
    assert.deepEqual([global['x'], rooms], [{ a: 1 }, {}])
    const { body: whois } = await admin.call('GET', `${v1}/whois/${id('pia')}`)
    assert.equal(whois['user_id'], id('pia'))
    const { status, body: version } = await server.call('GET', `${v1}/server_version`)
    assert.deepEqual([status, Object.keys(version)], [200, ['server_version']])
    assert.deepEqual((await admin.call('GET', `${v1}/username_available?username=free`)).body, { available: true })
  })

  test('changes nothing by a request that is refused', async () => {
    await server.register('kim')
    const path = `${v2}/users/${id('kim')}`
    const before = (await admin.call('GET', path)).body
    const refused = await admin.call('PUT', path, { displayname: 'Kim!', admin: true, avatar_url: 'x'.repeat(1001) })
    assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_INVALID_PARAM'])
    assert.deepEqual((await admin.call('GET', path)).body, before)
    await admin.call('PUT', `${v2}/users/${id('never')}`, { password: 'x'.repeat(513) })
    assert.equal((await admin.call('GET', `${v2}/users/${id('never')}`)).status, 404)
  })
})

describe('the admin API for users', () => {
  let admin: Admin
  let token: string
  before(async () => {
    admin = await serverWithAdmin()
    token = (await admin.server.register('bob')).token
  })
  after(() => admin.server.close())

  test('is refused users who are no admins, in Synapse’s words', async () => {
    const { status, body } = await admin.server.call('GET', `${v2}/users`, { token })
    assert.deepEqual([status, body], [403, { errcode: 'M_FORBIDDEN', error: 'You are not a server admin' }])
    assert.equal((await admin.server.call('GET', `${v2}/users`)).body['errcode'], 'M_MISSING_TOKEN')
  })

  const remote = '@a:two.test'
  const refusals: [string, string, object | undefined, number, string][] = [
    ['GET', `${v2}/users/${remote}`, undefined, 400, 'M_UNKNOWN'],
    ['PUT', `${v2}/users/${remote}`, {}, 400, 'M_UNKNOWN'],
    ['GET', `${v2}/users/${id('nobody')}`, undefined, 404, 'M_NOT_FOUND'],
    ['GET', `${v2}/users/nobody`, undefined, 400, 'M_INVALID_PARAM'],
    ['GET', `${v2}/users?from=-1`, undefined, 400, 'M_INVALID_PARAM'],
    ['GET', `${v2}/users?order_by=shoe`, undefined, 400, 'M_INVALID_PARAM'],
    ['GET', `${v2}/users?dir=x`, undefined, 400, 'M_INVALID_PARAM'],
    ['PUT', `${v2}/users/${id('Upper')}`, {}, 400, 'M_INVALID_USERNAME'],
    ['PUT', `${v2}/users/${id('bob')}`, { admin: 1 }, 400, 'M_BAD_JSON'],
    ['PUT', `${v2}/users/${id('bob')}`, { user_type: 'bot' }, 400, 'M_INVALID_PARAM'],
    ['PUT', `${v2}/users/${id('bob')}`, { threepids: [{ medium: 'email', address: 'a@b' }] }, 400, 'M_INVALID_PARAM'],
    ['PUT', `${v2}/users/${id('bob')}`, { deactivated: true, locked: true }, 400, 'M_UNKNOWN'],
    ['PUT', `${v2}/users/${id('root')}`, { admin: false }, 400, 'M_UNKNOWN'],
    ['PUT', `${v1}/users/${id('root')}/admin`, { admin: false }, 400, 'M_UNKNOWN'],
    ['PUT', `${v1}/users/${id('bob')}/admin`, {}, 400, 'M_MISSING_PARAM'],
    ['PUT', `${v1}/users/${id('nobody')}/admin`, { admin: true }, 404, 'M_NOT_FOUND'],
    ['POST', `${v1}/deactivate/${id('nobody')}`, {}, 404, 'M_NOT_FOUND'],
    ['POST', `${v1}/reset_password/${id('nobody')}`, { new_password: 'a' }, 404, 'M_NOT_FOUND'],
    ['POST', `${v1}/users/${id('root')}/login`, {}, 400, 'M_UNKNOWN'],
    ['POST', `${v2}/users/${id('nobody')}/devices`, { device_id: 'A' }, 404, 'M_NOT_FOUND'],
    ['PUT', `${v2}/users/${id('bob')}/devices/NONE`, { display_name: 'a' }, 404, 'M_NOT_FOUND'],
    ['GET', `${v1}/username_available?username=bob`, undefined, 400, 'M_USER_IN_USE'],
    ['GET', `${v1}/users/${id('bob')}/override_ratelimit`, undefined, 404, 'M_UNRECOGNIZED'],
  ]
  for (const [method, path, body, status, errcode] of refusals) {
    test(`answers ${method} ${path} ${JSON.stringify(body) ?? ''} with ${errcode}`, async () => {
      const answer = await admin.call(method, path, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, errcode])
    })
  }

  test('has at most 100 tokens of admins for a user', async () => {
    const logIn = () => admin.call('POST', `${v1}/users/${id('bob')}/login`)
    for (let count = 0; count < 100; count += 1) assert.equal((await logIn()).status, 200)
    const refused = await logIn()
    assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_LIMIT_EXCEEDED'])
  })
})
