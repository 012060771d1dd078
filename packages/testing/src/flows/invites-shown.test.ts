// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { testServer } from '../server.ts'

onEveryDatabase('an invite', (open) => {
  test('is shown with the event that made it, and when that was sent', async () => {
    const server = await testServer(open)
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const created = await server.call('POST', '/_matrix/client/v3/createRoom', {
      token: alice.token,
      body: { invite: [bob.userId] },
    })
    const roomId = String(created.body['room_id'])
    const { body } = await server.call('GET', '/_matrix/client/v3/sync', { token: bob.token })
    const { invite } = body['rooms'] as {
      invite: Record<string, { invite_state: { events: Record<string, unknown>[] } }>
    }
    const events = invite[roomId]?.invite_state.events ?? []
    const own = events.find((event) => event['state_key'] === bob.userId)
    assert.equal(own?.['origin_server_ts'], server.rt.clock.now())
    assert.match(String(own?.['event_id']), /^\$/)
    assert.ok(events.every((event) => event === own || !('event_id' in event)))
    await server.close()
  })
})
