// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { deleteProfileField } from '@myelin/storage/accounts/profiles'
import { testConfig } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'

describe('a profile', () => {
  let server: TestServer
  const tokens = new Map<string, string>()
  before(async () => {
    server = await testServer()
    for (const name of ['alice', 'bob']) tokens.set(name, (await server.register(name)).token)
  })
  after(() => server.close())

  const of = (name: string, key = '') => `${v3}/profile/@${name}:one.test${key && `/${key}`}`
  const put = (name: string, key: string, body: unknown, as = name) =>
    server.call('PUT', of(name, key), { token: tokens.get(as) ?? '', body })
  const get = async (name: string, key?: string) => (await server.call('GET', of(name, key))).body

  test('has the localpart as its first display name, and is public', async () => {
    assert.deepEqual(await get('bob'), { displayname: 'bob' })
    assert.deepEqual(await get('bob', 'displayname'), { displayname: 'bob' })
  })

  test('stores any JSON under any key', async () => {
    const tree = { list: [1, null, { deep: 'é' }] }
    assert.equal((await put('alice', 'org.example.tree', { 'org.example.tree': tree })).status, 200)
    assert.deepEqual(await get('alice', 'org.example.tree'), { 'org.example.tree': tree })
    await put('alice', 'org.example.nothing', { 'org.example.nothing': null })
    assert.deepEqual(await get('alice', 'org.example.nothing'), { 'org.example.nothing': null })
    const token = tokens.get('alice') ?? ''
    for (const key of ['org.example.tree', 'org.example.nothing', 'org.example.never']) {
      assert.equal((await server.call('DELETE', of('alice', key), { token })).status, 200)
      assert.equal((await server.call('GET', of('alice', key))).status, 404)
    }
  })

  test('is served at the unstable path too', async () => {
    const path = '/_matrix/client/unstable/uk.tcpip.msc4133/profile/@alice:one.test/m.tz'
    const token = tokens.get('alice') ?? ''
    assert.equal((await server.call('PUT', path, { token, body: { 'm.tz': 'Europe/Rome' } })).status, 200)
    assert.deepEqual(await get('alice', 'm.tz'), { 'm.tz': 'Europe/Rome' })
  })

  test('loses a display name that is set to the empty string', async () => {
    await put('alice', 'displayname', { displayname: 'Alice' })
    assert.deepEqual(await get('alice', 'displayname'), { displayname: 'Alice' })
    await put('alice', 'displayname', { displayname: '' })
    const unset = await server.call('GET', of('alice', 'displayname'))
    assert.deepEqual([unset.status, unset.body], [200, {}])
  })

  test('is not updated in rooms where the request says so (MSC4069)', async () => {
    const token = (await server.register('carol')).token
    const room = await server.call('POST', `${v3}/createRoom`, { token, body: {} })
    const state = `${v3}/rooms/${encodeURIComponent(String(room.body['room_id']))}/state/m.room.member/@carol:one.test`
    const change = (propagate: string, name: string) =>
      server.call('PUT', `${of('carol', 'displayname')}?org.matrix.msc4069.propagate=${propagate}`, {
        token,
        body: { displayname: name },
      })
    const shown = async () => (await server.call('GET', state, { token })).body['displayname']
    assert.equal((await change('true', 'Carol')).status, 200)
    assert.equal(await shown(), 'Carol')
    assert.equal((await change('false', 'Hidden')).status, 200)
    assert.equal(await shown(), 'Carol')
    assert.deepEqual(await get('carol', 'displayname'), { displayname: 'Hidden' })
    const { status, body } = await change('perhaps', 'Nobody')
    assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'])
  })

  test('is updated in the rooms of its owner', async () => {
    const token = tokens.get('bob') ?? ''
    const room = await server.call('POST', `${v3}/createRoom`, { token, body: {} })
    const path = `${v3}/rooms/${encodeURIComponent(String(room.body['room_id']))}/state/m.room.member/@bob:one.test`
    await put('bob', 'displayname', { displayname: 'Bobby' })
    await put('bob', 'avatar_url', { avatar_url: 'mxc://one.test/bob' })
    const member = (await server.call('GET', path, { token })).body
    assert.deepEqual([member['displayname'], member['avatar_url']], ['Bobby', 'mxc://one.test/bob'])
    await put('bob', 'avatar_url', { avatar_url: '' })
    assert.equal('avatar_url' in (await server.call('GET', path, { token })).body, false)
  })

  test('is limited to 64 KiB', async () => {
    const fits = 'x'.repeat(40_000)
    await put('alice', 'org.example.a', { 'org.example.a': fits })
    const tooMuch = await put('alice', 'org.example.b', { 'org.example.b': fits })
    assert.deepEqual([tooMuch.status, tooMuch.body['errcode']], [400, 'M_PROFILE_TOO_LARGE'])
    assert.equal((await put('alice', 'org.example.a', { 'org.example.a': fits })).status, 200)
  })

  const long = 'a'.repeat(256)
  const refusals = [
    ['another name than the path', 'alice', 'displayname', { name: 'x' }, 400, 'M_MISSING_PARAM'],
    ['a prototype', 'alice', 'constructor', {}, 400, 'M_MISSING_PARAM'],
    ['a name that is not text', 'alice', 'displayname', { displayname: 1 }, 400, 'M_INVALID_PARAM'],
    ['a name that is too long', 'alice', 'displayname', { displayname: 'x'.repeat(257) }, 400, 'M_INVALID_PARAM'],
    ['a key that is too long', 'alice', long, { [long]: 1 }, 400, 'M_KEY_TOO_LARGE'],
    ['a key in capitals', 'alice', 'Name', { Name: 1 }, 400, 'M_INVALID_PARAM'],
    ['a key with a null byte', 'alice', 'a%00b', { 'a\0b': 1 }, 400, 'M_INVALID_PARAM'],
    ['a number that others would read otherwise', 'alice', 'a.b', '{"a.b": 1.5}', 400, 'M_BAD_JSON'],
    ['a body that is a list', 'alice', 'displayname', [], 400, 'M_BAD_JSON'],
    ['a body that is none', 'alice', 'displayname', 'nonsense', 400, 'M_NOT_JSON'],
    ['a change by another user', 'bob', 'displayname', { displayname: 'x' }, 403, 'M_FORBIDDEN'],
    ['a change of an unknown user', 'nobody', 'displayname', { displayname: 'x' }, 403, 'M_FORBIDDEN'],
  ] as const
  for (const [name, whose, key, body, status, code] of refusals) {
    test(`refuses ${name}`, async () => {
      const answer = await put(whose, key, body, 'alice')
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }

  test('without a display name or avatar answers with no member, and without any field is not found', async () => {
    const { userId } = await server.register('empty')
    await server.rt.db.write((tx) => deleteProfileField(tx, userId as UserId, 'displayname'))
    for (const key of ['displayname', 'avatar_url']) {
      const { status, body } = await server.call('GET', of('empty', key))
      assert.deepEqual([status, body], [200, {}], key)
    }
    const whole = await server.call('GET', of('empty'))
    assert.deepEqual(whole.body, { errcode: 'M_NOT_FOUND', error: 'Profile was not found' })
    assert.equal(whole.status, 404)
  })

  const unknown = [
    ['for the display name of an unknown user', `${v3}/profile/@nobody:one.test/displayname`],
    ['for an unknown user', `${v3}/profile/@nobody:one.test`],
    ['for an invalid user id', `${v3}/profile/@a%00b:one.test`],
    ['in a field that is not set', `${v3}/profile/@alice:one.test/org.example.unset`],
  ] as const
  for (const [name, path] of unknown) {
    test(`is not found ${name}`, async () => {
      const { status, body } = await server.call('GET', path)
      assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND'])
    })
  }

  test('of an unreachable server is an error', async () => {
    const { status, body } = await server.call('GET', `${v3}/profile/@alice:two.test`)
    assert.deepEqual([status, body['errcode']], [502, 'M_UNKNOWN'])
  })

  test('needs a token to change', async () => {
    const answer = await server.call('PUT', of('alice', 'displayname'), { body: { displayname: 'x' } })
    assert.deepEqual([answer.status, answer.body['errcode']], [401, 'M_MISSING_TOKEN'])
  })
})

describe('where profile changes are disabled', () => {
  test('changes are refused, and the capabilities say so', async () => {
    const profiles = { ...testConfig.profiles, maySetDisplayName: false }
    const server = await testServer(undefined, { profiles })
    const { token } = await server.register('alice')
    const path = `${v3}/profile/@alice:one.test/displayname`
    assert.equal((await server.call('PUT', path, { token, body: { displayname: 'x' } })).body['errcode'], 'M_FORBIDDEN')
    assert.equal((await server.call('DELETE', path, { token })).body['errcode'], 'M_FORBIDDEN')
    const { body } = await server.call('GET', `${v3}/capabilities`, { token })
    const capabilities = body['capabilities'] as Record<string, unknown>
    assert.deepEqual(capabilities['m.profile_fields'], { enabled: true, disallowed: ['displayname'] })
    assert.deepEqual(capabilities['m.set_displayname'], { enabled: false })
    assert.deepEqual(capabilities['m.set_avatar_url'], { enabled: true })
    await server.close()
  })
})
