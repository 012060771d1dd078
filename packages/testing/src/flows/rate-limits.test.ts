// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import type { RateLimits } from '@myelin/kit/settings'
import { testConfig } from '../runtime.ts'
import { testServer } from '../server.ts'
import type { Answer, TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'
const seldom = { perSecond: 0.001, burstCount: 2 }

type Ask = (method: string, path: string, body?: object, token?: string) => Promise<Answer>

/** Requests that count together: one by one they use a limit of two up, then the last is refused. */
type Case = (ask: Ask, room: string) => readonly (() => Promise<Answer>)[]

const cases: Readonly<Record<string, readonly [limit: keyof RateLimits, requests: Case]>> = {
  'reports of rooms and users': [
    'reports',
    (ask, room) => [
      () => ask('POST', `${v3}/rooms/${room}/report`, { reason: '' }),
      () => ask('POST', `${v3}/users/@bob:one.test/report`, { reason: '' }),
      () => ask('POST', `${v3}/rooms/${room}/report`, { reason: '' }),
    ],
  ],
  'searches of the user directory': [
    'userDirectory',
    (ask) => ['a', 'b', 'c'].map((term) => () => ask('POST', `${v3}/user_directory/search`, { search_term: term })),
  ],
  'room creations and upgrades': [
    'roomCreation',
    // The room that stands here already is the first.
    (ask, room) => [
      () => ask('POST', `${v3}/rooms/${room}/upgrade`, { new_version: '12' }),
      () => ask('POST', `${v3}/createRoom`, {}),
    ],
  ],
  'profile lookups': [
    'profiles',
    (ask) => ['', '/displayname', '/avatar_url'].map((rest) => () => ask('GET', `${v3}/profile/@bob:one.test${rest}`)),
  ],
  'profile lookups without a token, by address': [
    'profiles',
    (ask) => ['', '', ''].map((rest) => () => ask('GET', `${v3}/profile/@bob:one.test${rest}`, undefined, '')),
  ],
  'searches of room directories': [
    'publicRooms',
    (ask) => [
      () => ask('GET', `${v3}/publicRooms`),
      () => ask('POST', `${v3}/publicRooms`, {}),
      () => ask('POST', `${v3}/publicRooms?server=two.test`, {}),
    ],
  ],
  searches: [
    'search',
    (ask) =>
      ['a', 'b', 'c'].map(
        (term) => () => ask('POST', `${v3}/search`, { search_categories: { room_events: { search_term: term } } }),
      ),
  ],
  'key uploads': ['keyUploads', (ask) => ['', '', ''].map(() => () => ask('POST', `${v3}/keys/upload`, {}))],
  'to-device messages': [
    'toDevice',
    (ask) => ['1', '2', '3'].map((txn) => () => ask('PUT', `${v3}/sendToDevice/m.test/${txn}`, { messages: {} })),
  ],
}

async function stage(limit: keyof RateLimits) {
  const server: TestServer = await testServer(undefined, {
    rateLimits: { ...testConfig.rateLimits, [limit]: seldom },
  })
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const ask: Ask = (method, path, body, token = alice.token) =>
    server.call(method, path, { ...(token === '' ? {} : { token }), ...(body ? { body } : {}) })
  const made = await ask('POST', `${v3}/createRoom`, {})
  return { server, bob, ask, room: encodeURIComponent(String(made.body['room_id'])) }
}

describe('a rate limit', () => {
  for (const [name, [limit, requests]] of Object.entries(cases)) {
    test(`counts ${name}`, async () => {
      const { server, ask, room } = await stage(limit)
      const answers: Answer[] = []
      for (const request of requests(ask, room)) answers.push(await request())
      const last = answers.pop()
      assert.deepEqual([last?.status, last?.body['errcode']], [429, 'M_LIMIT_EXCEEDED'])
      assert.ok(Number(last?.body['retry_after_ms']) > 0)
      for (const { status, body } of answers) assert.equal(status, 200, JSON.stringify(body))
      await server.close()
    })
  }

  const lookups: Readonly<Record<string, (name: string) => readonly [string, string, object?]>> = {
    'of aliases': (name) => ['GET', `${v3}/directory/room/%23${name}:${name}.test`],
    'of aliases to join': (name) => ['POST', `${v3}/join/%23${name}:${name}.test`, {}],
    'of aliases to knock': (name) => ['POST', `${v3}/knock/%23${name}:${name}.test`, {}],
    'of room summaries': (name) => ['GET', `/_matrix/client/v1/room_summary/!${name}:far.test?via=${name}.test`],
    'of keys': (name) => ['POST', `${v3}/keys/query`, { device_keys: { [`@${name}:${name}.test`]: [] } }],
    'of one-time keys': (name) => [
      'POST',
      `${v3}/keys/claim`,
      { one_time_keys: { [`@${name}:${name}.test`]: { D: 'signed_curve25519' } } },
    ],
  }
  for (const [name, lookup] of Object.entries(lookups)) {
    test(`counts the servers that one user makes this one ask: lookups ${name}`, async () => {
      const { server, ask, bob } = await stage('remoteLookups')
      const statuses: number[] = []
      for (const far of ['a', 'b', 'c']) statuses.push((await ask(...lookup(far))).status)
      assert.ok(!statuses.slice(0, 2).includes(429), `${statuses.join()}`)
      assert.equal(statuses[2], 429)
      const [method, path, body] = lookup('d')
      // Without authentication, it is the address that has used its limit up.
      const { status } = await ask(method, path, body, bob.token)
      if (name === 'of aliases') assert.equal(status, 429)
      else assert.notEqual(status, 429)
      await server.close()
    })
  }

  test('counts the servers that a notary is made to ask, by address', async () => {
    const { server, ask } = await stage('remoteLookups')
    const query = (...names: string[]) =>
      ask('POST', '/_matrix/key/v2/query', { server_keys: Object.fromEntries(names.map((name) => [name, {}])) }, '')
    assert.equal((await query('a.test', 'b.test', 'c.test')).status, 200)
    assert.equal((await query('d.test')).status, 429)
    assert.equal((await ask('GET', '/_matrix/key/v2/query/e.test', undefined, '')).status, 429)
    await server.close()
  })

  test('of lookups names the servers beyond it among the failures of a key query', async () => {
    const { server, ask } = await stage('remoteLookups')
    const users = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`@${name}:${name}.test`, []]))
    const { status, body } = await ask('POST', `${v3}/keys/query`, { device_keys: users })
    assert.equal(status, 200)
    const failures = Object.values(body['failures'] as Record<string, { status: number }>)
    assert.deepEqual(
      failures.map((failure) => failure.status).toSorted((a, b) => a - b),
      [429, 429, 503, 503],
    )
    await server.close()
  })

  test('of lookups lets 20 run at a time for one user, in all of their requests together', async () => {
    let [running, most] = [0, 0]
    const transport = {
      send: async () => {
        most = Math.max(most, ++running)
        for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
        running--
        return { status: 200, headers: {}, body: Readable.from([Buffer.from('{"device_keys":{},"one_time_keys":{}}')]) }
      },
      close: async () => {},
    }
    const server = await testServer(undefined, {}, { transport })
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`)
    const query = (token: string, kind: string) => {
      const users = Object.fromEntries(names.map((name) => [`@a:${kind}${name}.test`, []]))
      return server.call('POST', `${v3}/keys/query`, { token, body: { device_keys: users } })
    }
    const answers = await Promise.all(['a', 'b', 'c'].map((kind) => query(alice.token, kind)))
    for (const { status, body } of answers) assert.deepEqual([status, body['failures']], [200, {}])
    assert.equal(most, 20)
    await Promise.all([query(alice.token, 'd'), query(bob.token, 'e')])
    assert.equal(most, 40)
    await server.close()
  })

  test('of one user leaves others alone', async () => {
    const { server, bob, ask } = await stage('userDirectory')
    const search = (token?: string) => ask('POST', `${v3}/user_directory/search`, { search_term: 'a' }, token)
    for (const status of [200, 200, 429]) assert.equal((await search()).status, status)
    assert.equal((await search(bob.token)).status, 200)
    await server.close()
  })

  test('does not hold up a to-device request that is repeated', async () => {
    const { server, ask } = await stage('toDevice')
    for (const txn of ['1', '2', '2', '1']) {
      assert.equal((await ask('PUT', `${v3}/sendToDevice/m.test/${txn}`, { messages: {} })).status, 200, txn)
    }
    assert.equal((await ask('PUT', `${v3}/sendToDevice/m.test/3`, { messages: {} })).status, 429)
    await server.close()
  })
})
