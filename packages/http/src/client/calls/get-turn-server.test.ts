// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import type { TurnSettings } from '@myelin/kit/settings'
import { testConfig } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'

const PATH = '/_matrix/client/v3/voip/turnServer'

describe('the TURN servers', () => {
  const asked = async (turn: Partial<TurnSettings>) => {
    const server = await testServer(undefined, { turn: { ...testConfig.turn, ...turn } })
    try {
      const alice = await server.register('alice')
      const answer = await server.call('GET', PATH, { token: alice.token })
      return { ...answer, userId: alice.userId, now: server.rt.clock.now() }
    } finally {
      await server.close()
    }
  }

  test('are none where no servers or no credentials are configured', async () => {
    assert.deepEqual((await asked({})).body, {})
    assert.deepEqual((await asked({ sharedSecret: 'secret' })).body, {})
    assert.deepEqual((await asked({ uris: ['turn:a'] })).body, {})
  })

  test('come with an expiring username and its password', async () => {
    const { body, userId, now } = await asked({
      uris: ['turn:a', 'turn:b'],
      sharedSecret: 'secret',
      lifetimeMs: 60_000,
    })
    const username = `${Math.floor((now + 60_000) / 1000)}:${userId}`
    const password = createHmac('sha1', 'secret').update(username).digest('base64')
    assert.deepEqual(body, { username, password, ttl: 60, uris: ['turn:a', 'turn:b'] })
  })

  test('come with the configured username and password', async () => {
    const { body } = await asked({ uris: ['turn:a'], username: 'name', password: 'word' })
    assert.deepEqual(body, { username: 'name', password: 'word', ttl: 3600, uris: ['turn:a'] })
  })

  test('are not returned without an access token', async () => {
    const server = await testServer()
    assert.equal((await server.call('GET', PATH)).status, 401)
    await server.close()
  })
})
