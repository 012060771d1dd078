// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { syncFilterOf } from '@myelin/services/room-state/event-filter'
import { parseToken } from '@myelin/services/room-state/page-token'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import { SyncThrottle } from '@myelin/services/runtime/sync-throttle'
import { sync } from '@myelin/services/sync/response/sync'
import { testServer } from '../server.ts'

test('a waiting sync whose client goes away ends without another look at the database', async () => {
  const server = await testServer()
  const { rt } = server
  const { token, userId, deviceId } = await server.register('alice')
  const { body } = await server.call('GET', '/_matrix/client/v3/sync', { token })
  const since = String(body['next_batch'])

  let looks = 0
  const position = () => {
    looks++
    return rt.db.position()
  }
  const waiting = Promise.withResolvers<void>()
  const clock: Runtime['clock'] = {
    now: () => rt.clock.now(),
    later: (delayMs, task) => {
      waiting.resolve()
      return rt.clock.later(delayMs, task)
    },
  }
  const client = new AbortController()
  const request = {
    requester: { userId, deviceId, isAdmin: false, isGuest: false } as Requester,
    since: parseToken(since),
    filter: syncFilterOf({}),
    isFullState: false,
    stateAfter: undefined,
    timeoutMs: 30_000,
    presence: 'online' as const,
  }
  const answer = sync(
    { ...rt, clock, syncThrottle: new SyncThrottle(clock), db: { ...rt.db, position } },
    request,
    client.signal,
  )
  await waiting.promise
  client.abort()
  assert.equal(typeof (await answer)['next_batch'], 'string')
  assert.equal(looks, 1)
  await server.close()
})
