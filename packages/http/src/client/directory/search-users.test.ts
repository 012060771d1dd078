// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'

describe('the user directory', () => {
  let server: TestServer
  const tokens = new Map<string, string>()
  const tokenOf = (name: string) => tokens.get(name) ?? ''
  before(async () => {
    server = await testServer()
    for (const name of ['alice', 'bob', 'carol', 'dora', 'erin']) {
      tokens.set(name, (await server.register(name)).token)
      await call('PUT', `profile/@${name}:one.test/displayname`, name, { displayname: `${name.toUpperCase()} Müller` })
    }
    const secret = await makeRoom('alice', { preset: 'private_chat', invite: ['@bob:one.test'] })
    await call('POST', `rooms/${secret}/join`, 'bob')
    await makeRoom('carol', { preset: 'public_chat' })
    await makeRoom('dora', { preset: 'private_chat' })
  })
  after(() => server.close())

  const call = (method: string, path: string, name: string, body: unknown = {}) =>
    server.call(method, `${v3}/${path}`, { token: tokenOf(name), body })
  async function makeRoom(name: string, body: object): Promise<string> {
    server.rt.clock.advance(1)
    return encodeURIComponent(String((await call('POST', 'createRoom', name, body)).body['room_id']))
  }
  async function search(term: string, name = 'alice', limit?: number) {
    const { body } = await call('POST', 'user_directory/search', name, { search_term: term, limit })
    return {
      ids: (body['results'] as { user_id: string }[]).map(({ user_id: id }) => id.slice(1, id.indexOf(':'))),
      limited: body['limited'],
      results: body['results'],
    }
  }

  test('finds users who share a room or are in a public one, and no others', async () => {
    assert.deepEqual((await search('müller')).ids, ['bob', 'carol'])
    assert.deepEqual((await search('müller', 'bob')).ids, ['alice', 'carol'])
    assert.deepEqual((await search('müller', 'erin')).ids, ['carol'])
  })

  test('returns names and avatars', async () => {
    const { results } = await search('bob')
    assert.deepEqual(results, [{ user_id: '@bob:one.test', display_name: 'BOB Müller' }])
  })

  test('matches prefixes of words in any case and order, and user ids', async () => {
    const terms = ['BO', 'müll bo', 'bob', '@bob', '@bob:one.test', ' bob ', '@BOB:one.test']
    for (const term of terms) assert.ok((await search(term)).ids.includes('bob'), term)
    for (const term of ['ob', 'bob x', '', ' ', '@', '%', '_', '\0', '__proto__']) {
      assert.deepEqual((await search(term)).ids, [], term)
    }
  })

  test('marks a truncated result as limited', async () => {
    const some = await search('m', 'alice', 1)
    assert.deepEqual([some.ids.length, some.limited], [1, true])
    assert.equal((await search('m', 'alice', 2)).limited, false)
  })

  test('matches the profile, not the name in a private room', async () => {
    const room = await makeRoom('bob', { preset: 'private_chat', invite: ['@alice:one.test'] })
    await call('POST', `rooms/${room}/join`, 'alice')
    const nickname = { membership: 'join', displayname: 'Zaphod' }
    assert.equal((await call('PUT', `rooms/${room}/state/m.room.member/@bob:one.test`, 'bob', nickname)).status, 200)
    assert.deepEqual((await search('zaphod')).ids, [])
    assert.deepEqual((await search('müller bob')).ids, ['bob'])
    await call('PUT', 'profile/@bob:one.test/displayname', 'bob', { displayname: 'Robert' })
    assert.deepEqual((await search('rob')).ids, ['bob'])
    assert.deepEqual((await search('müller')).ids, ['carol'])
  })

  test('no longer finds users who left', async () => {
    const room = await makeRoom('erin', { preset: 'public_chat' })
    assert.deepEqual((await search('erin')).ids, ['erin'])
    await call('POST', `rooms/${room}/leave`, 'erin')
    assert.deepEqual((await search('erin')).ids, [])
  })

  const refusals = [
    ['without a term', {}, 400, 'M_MISSING_PARAM'],
    ['with a number for a term', { search_term: 5 }, 400, 'M_BAD_JSON'],
    ['with a negative limit', { search_term: 'a', limit: -1 }, 400, 'M_BAD_JSON'],
  ] as const
  for (const [name, body, status, code] of refusals) {
    test(`refuses a search ${name}`, async () => {
      const answer = await call('POST', 'user_directory/search', 'alice', body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    })
  }
})
