// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
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
