// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId } from '@myelin/matrix/ids'
import type { TestNetwork } from '../../network.ts'
import { onEveryDatabase } from '../../databases.ts'
import { join, path, post, stage, standing, stateOn } from '../../stages/federated-stage.ts'

const sentByTwo = ({ crossings }: TestNetwork) =>
  crossings.filter(({ from, target }) => from === 'two.test' && target.includes('/v1/send/'))

onEveryDatabase('a room of another server', (open) => {
  test('gets a join from the resident server that accepted it, not from the joining server', async () => {
    const { network, alice, bob, roomId } = await stage(open, { servers: 3 })
    assert.equal((await join(bob, roomId)).status, 200)
    await network.settle(async () => (await standing(alice, roomId, bob.userId)) === 'join')
    await network.settle()
    assert.deepEqual(sentByTwo(network), [])
    const call = { token: bob.token, body: { msgtype: 'm.text', body: 'hello' } }
    await bob.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'send/m.room.message/1')}`, call)
    // Throws where it is never sent.
    await network.settle(() => sentByTwo(network).length > 0)
    await network.close()
  })

  test('takes our aliases and directory entry along when a user there upgrades it', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { room_version: '11' } })
    assert.equal((await join(bob, roomId)).status, 200)
    const directory = `/_matrix/client/v3/directory/room/${encodeURIComponent('#ours:two.test')}`
    const listing = (room: string) => `/_matrix/client/v3/directory/list/room/${encodeURIComponent(room)}`
    const put = await bob.server.call('PUT', directory, { token: bob.token, body: { room_id: roomId } })
    assert.equal(put.status, 200)
    const promote = { users: { [alice.userId]: 100, [bob.userId]: 100 } }
    const levels = `/_matrix/client/v3/${path(roomId, 'state/m.room.power_levels/')}`
    assert.equal((await alice.server.call('PUT', levels, { token: alice.token, body: promote })).status, 200)
    const isSame = async () => String(await stateOn(alice, roomId)) === String(await stateOn(bob, roomId))
    await network.settle(isSame)
    const listed = await bob.server.call('PUT', listing(roomId), { token: bob.token, body: { visibility: 'public' } })
    assert.equal(listed.status, 200)
    const { body } = await post(alice, path(roomId, 'upgrade'), { new_version: '11' })
    const replacement = body['replacement_room'] as RoomId
    await network.settle(isSame)
    assert.equal((await join(bob, replacement)).status, 200)
    const target = (await bob.server.call('GET', directory)).body['room_id']
    assert.equal(target, replacement)
    assert.equal((await bob.server.call('GET', listing(roomId))).body['visibility'], 'private')
    assert.equal((await bob.server.call('GET', listing(replacement))).body['visibility'], 'public')
    await network.close()
  })
})
