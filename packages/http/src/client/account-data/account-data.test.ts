// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
type SyncBody = {
  readonly next_batch: string
  readonly account_data: { readonly events: readonly { type: string; content: unknown }[] }
  readonly rooms: {
    readonly join: Record<string, { readonly account_data: { readonly events: readonly { type: string }[] } }>
  }
}

describe('account data', () => {
  let server: TestServer
  let token: string
  let room: string
  const me = '@alice:one.test'
  before(async () => {
    server = await testServer()
    token = (await server.register('alice')).token
    await server.register('bob')
    const created = await server.call('POST', `${v3}/createRoom`, { token, body: {} })
    room = encodeURIComponent(String(created.body['room_id']))
  })
  after(() => server.close())

  const put = (path: string, body: unknown) => server.call('PUT', `${v3}/user/${path}`, { token, body })
  const get = (path: string) => server.call('GET', `${v3}/user/${path}`, { token })
  const sync = async (since?: string) =>
    (await server.call('GET', `${v3}/sync${since === undefined ? '' : `?since=${since}`}`, { token }))
      .body as unknown as SyncBody

  test('is bounded per entry and per user, and can always shrink', async () => {
    const { token: bob } = await server.register('collector')
    const set = (type: string, length: number) =>
      server.call('PUT', `${v3}/user/@collector:one.test/account_data/${type}`, {
        token: bob,
        body: { a: 'a'.repeat(length) },
      })
    const KIB = 1024
    const tooLong = await set('large', 256 * KIB)
    assert.deepEqual([tooLong.status, tooLong.body['errcode']], [413, 'M_TOO_LARGE'])
    for (let at = 0; at < 16; at++) assert.equal((await set(`a${at}`, 250 * KIB)).status, 200)
    const tooMuch = await set('one.more', 200 * KIB)
    assert.deepEqual([tooMuch.status, tooMuch.body['errcode']], [413, 'M_TOO_LARGE'])
    assert.equal((await set('a1', 240 * KIB)).status, 200)
    assert.equal((await set('one.more', 90 * KIB)).status, 200)
  })

  test('is stored globally and per room', async () => {
    assert.deepEqual((await put(`${me}/account_data/org.example`, { a: 1.5 })).body, {})
    assert.equal((await put(`${me}/rooms/${room}/account_data/org.example`, { b: '\0' })).status, 200)
    assert.deepEqual((await get(`${me}/account_data/org.example`)).body, { a: 1.5 })
    assert.deepEqual((await get(`${me}/rooms/${room}/account_data/org.example`)).body, { b: '\0' })
  })

  test('is in /sync once, and in an initial sync', async () => {
    const { next_batch: since } = await sync()
    await put(`${me}/account_data/org.once`, { n: 1 })
    await put(`${me}/rooms/${room}/account_data/org.once`, { n: 2 })
    const entry = (answer: SyncBody) => answer.account_data.events.filter(({ type }) => type === 'org.once')
    const ofRoom = (answer: SyncBody) =>
      Object.values(answer.rooms.join).flatMap(({ account_data: { events } }) =>
        events.filter(({ type }) => type === 'org.once'),
      )
    const next = await sync(since)
    for (const answer of [next, await sync()]) {
      assert.deepEqual(entry(answer), [{ type: 'org.once', content: { n: 1 } }])
      assert.deepEqual(ofRoom(answer), [{ type: 'org.once', content: { n: 2 } }])
    }
    const later = await sync(next.next_batch)
    assert.deepEqual([entry(later), ofRoom(later)], [[], []])
  })

  test('accepts names of JavaScript’s own properties', async () => {
    const content = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}') as object
    assert.equal((await put(`${me}/account_data/__proto__`, content)).status, 200)
    assert.deepEqual((await get(`${me}/account_data/__proto__`)).body, content)
    const next = await sync()
    assert.deepEqual(next.account_data.events.find(({ type }) => type === '__proto__')?.content, content)
  })

  test('includes the push rules, which cannot be written here', async () => {
    const { body } = await get(`${me}/account_data/m.push_rules`)
    assert.deepEqual(Object.keys(body['global'] as object), [
      'override',
      'content',
      'postcontent',
      'room',
      'sender',
      'underride',
    ])
  })

  const refusals = [
    ['of another user', 'PUT', `@bob:one.test/account_data/a`, {}, 403, 'M_FORBIDDEN'],
    ['of another user, to read', 'GET', `@bob:one.test/account_data/a`, undefined, 403, 'M_FORBIDDEN'],
    ['that is not there', 'GET', `${me}/account_data/never`, undefined, 404, 'M_NOT_FOUND'],
    ['called after a function', 'GET', `${me}/account_data/toString`, undefined, 404, 'M_NOT_FOUND'],
    ['of what is no room', 'PUT', `${me}/rooms/room/account_data/a`, {}, 400, 'M_INVALID_PARAM'],
    ['of what is no room, to read', 'GET', `${me}/rooms/room/account_data/a`, undefined, 400, 'M_INVALID_PARAM'],
    ['that we write', 'PUT', `${me}/account_data/m.push_rules`, {}, 405, 'M_BAD_JSON'],
    ['of a room that we write', 'PUT', `${me}/rooms/!a:b/account_data/m.fully_read`, {}, 405, 'M_BAD_JSON'],
    ['that is a list', 'PUT', `${me}/account_data/a`, [], 400, 'M_BAD_JSON'],
    ['that is not JSON', 'PUT', `${me}/account_data/a`, '{', 400, 'M_NOT_JSON'],
    ['with a name too long', 'PUT', `${me}/account_data/${'a'.repeat(256)}`, {}, 400, 'M_INVALID_PARAM'],
    ['with a NUL in its name', 'PUT', `${me}/account_data/a%00b`, {}, 400, 'M_INVALID_PARAM'],
  ] as const
  for (const [name, method, path, body, status, code] of refusals) {
    test(`${name} is refused`, async () => {
      const answer = await server.call(method, `${v3}/user/${path}`, { token, body })
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }

  describe('tags', () => {
    const tags = (suffix = '') => `${me}/rooms/${room}/tags${suffix}`
    test('are added, read and removed one by one', async () => {
      assert.deepEqual((await get(tags())).body, { tags: {} })
      assert.deepEqual((await put(tags('/m.favourite'), { order: 0.5 })).body, {})
      await put(tags('/__proto__'), {})
      await put(tags('/u.work'), { order: 1, more: [] })
      const whole = { 'm.favourite': { order: 0.5 }, ['__proto__']: {}, 'u.work': { order: 1, more: [] } }
      assert.deepEqual((await get(tags())).body, { tags: whole })
      assert.deepEqual((await server.call('DELETE', `${v3}/user/${tags('/u.work')}`, { token })).body, {})
      assert.deepEqual((await server.call('DELETE', `${v3}/user/${tags('/u.never')}`, { token })).body, {})
      const { ['u.work']: _, ...rest } = whole
      assert.deepEqual((await get(tags())).body, { tags: rest })
      assert.deepEqual((await get(`${me}/rooms/${room}/account_data/m.tag`)).body, { tags: rest })
    })

    test('that are added concurrently are all kept', async () => {
      const names = ['u.one', 'u.two', 'u.three', 'u.four']
      await Promise.all(names.map((name) => put(tags(`/${name}`), {})))
      const { body } = await get(tags())
      assert.deepEqual(
        Object.keys(body['tags'] as object).filter((name) => names.includes(name)),
        names,
      )
    })

    const refusedTags = [
      ['with an order in letters', `/u.a`, { order: 'first' }, 400, 'M_BAD_JSON'],
      ['with a name too long', `/${'é'.repeat(128)}`, {}, 400, 'M_INVALID_PARAM'],
      ['that is a number', `/u.a`, 5, 400, 'M_BAD_JSON'],
      ['that is too large', `/u.a`, { a: 'a'.repeat(70_000) }, 413, 'M_TOO_LARGE'],
    ] as const
    for (const [name, path, body, status, code] of refusedTags) {
      test(`${name} are refused`, async () => {
        const answer = await put(tags(path), body)
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      })
    }

    test('of another user are refused', async () => {
      for (const [method, path] of [
        ['GET', 'tags'],
        ['PUT', 'tags/a'],
        ['DELETE', 'tags/a'],
      ] as const) {
        const answer = await server.call(method, `${v3}/user/@bob:one.test/rooms/${room}/${path}`, { token, body: {} })
        assert.equal(answer.status, 403)
      }
    })
  })

  describe('filters', () => {
    const define = (body: unknown, user = me) => server.call('POST', `${v3}/user/${user}/filter`, { token, body })
    test('are stored under an id', async () => {
      const filter = { room: { timeline: { limit: 3, types: ['m.*'] } }, event_fields: ['type'] }
      const id = String((await define(filter)).body['filter_id'])
      assert.doesNotMatch(id, /^\{/)
      assert.deepEqual((await get(`${me}/filter/${id}`)).body, filter)
      assert.equal((await define(filter)).body['filter_id'], id)
      assert.equal((await server.call('GET', `${v3}/sync?filter=${id}`, { token })).status, 200)
    })

    const refusedFilters = [
      ['a list', [], 400, 'M_BAD_JSON'],
      ['one with types that are no texts', { room: { state: { types: [1] } } }, 400, 'M_BAD_JSON'],
      ['one with rooms that are no rooms', { room: { rooms: ['room'] } }, 400, 'M_BAD_JSON'],
      ['one with senders that are no users', { presence: { senders: ['alice'] } }, 400, 'M_BAD_JSON'],
      ['one with half an event less', { room: { timeline: { limit: 0.5 } } }, 400, 'M_BAD_JSON'],
      ['one in an unknown format', { event_format: 'xml' }, 400, 'M_BAD_JSON'],
      ['one that is too large', { event_fields: ['a'.repeat(70_000)] }, 413, 'M_TOO_LARGE'],
    ] as const
    for (const [name, body, status, code] of refusedFilters) {
      test(`are not ${name}`, async () => {
        const answer = await define(body)
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      })
    }

    test('are private to their user', async () => {
      assert.equal((await define({}, '@bob:one.test')).status, 403)
      assert.equal((await get('@bob:one.test/filter/0')).status, 403)
      assert.equal((await get(`${me}/filter/99`)).body['errcode'], 'M_NOT_FOUND')
      assert.equal((await get(`${me}/filter/__proto__`)).status, 404)
    })
  })
})
