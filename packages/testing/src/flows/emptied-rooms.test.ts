// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDatabase } from '@myelin/services/check-database'
import { onEveryDatabase } from '../databases.ts'
import { join, path, post, stage, standing, user } from '../stages/federated-stage.ts'

type Chunk = { readonly type: string; readonly sender: string; readonly content: { readonly membership?: string } }[]

onEveryDatabase('a room whose first server has left', (open) => {
  test('shows later members everything that a server in it still has', async () => {
    const { network, alice, bob, roomId } = await stage(open, { servers: 3 })
    const carol = await user(network, 'carol', 'three.test')
    assert.equal((await join(bob, roomId)).status, 200)
    assert.equal((await post(alice, path(roomId, 'leave'))).status, 200)
    await network.settle(async () => (await standing(bob, roomId, alice.userId)) === 'leave')
    assert.equal((await join(carol, roomId, ['two.test'])).status, 200)
    await network.settle()
    const { body } = await carol.server.call('GET', `/_matrix/client/v3/${path(roomId, 'messages?dir=b&limit=100')}`, {
      token: carol.token,
    })
    const joined = (body['chunk'] as Chunk).filter(({ content }) => content.membership === 'join')
    assert.deepEqual(
      joined.map(({ sender }) => sender),
      [carol.userId, bob.userId],
    )
    await network.close()
  })

  test('is in order on the disk of that server, also when its user is invited again', async () => {
    const { network, alice, bob, roomId } = await stage(open, {
      roomOptions: { power_level_content_override: { invite: 0 } },
    })
    assert.equal((await join(bob, roomId)).status, 200)
    assert.equal((await post(alice, path(roomId, 'leave'))).status, 200)
    await network.settle(async () => (await standing(bob, roomId, alice.userId)) === 'leave')
    assert.equal((await post(bob, path(roomId, 'invite'), { user_id: alice.userId })).status, 200)
    await network.settle(async () => (await standing(alice, roomId, alice.userId)) === 'invite')
    for await (const { what, fault } of checkDatabase(alice.server.rt.db.read)) assert.fail(`${what}: ${fault}`)
    await network.close()
  })
})
