// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { join, offered, path, post, stage, standing, user } from '../../stages/federated-stage.ts'
import { testServer } from '../../server.ts'

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

  test('from another server shows the room also where the server of who is invited is in it', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    const carol = await user(network, 'carol', 'two.test')
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    assert.equal((await join(bob, roomId, [])).status, 200)
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: carol.userId })).status, 200)
    await network.settle(async () => (await standing(carol, roomId, carol.userId)) === 'invite')
    const shown = await offered(carol, 'invite', roomId)
    const named = shown.find(({ type }) => type === 'm.room.name')
    assert.deepEqual(named?.['content'], { name: 'The room' })
    const members = shown.filter(({ type }) => type === 'm.room.member').map((event) => event['state_key'])
    assert.deepEqual(new Set(members), new Set([alice.userId, carol.userId]))
    await network.close()
  })
})
