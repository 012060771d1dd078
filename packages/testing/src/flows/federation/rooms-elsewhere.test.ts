// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signBytes } from '@myelin/matrix/signatures'
import { contentHash } from '@myelin/rules/events/content-hash'
import { signedFormOf } from '@myelin/rules/events/signing'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import type { TestNetwork } from '../../network.ts'
import { onEveryDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { join, path, post, stage, standing, stateOn } from '../../stages/federated-stage.ts'
import type { User } from '../../stages/federated-stage.ts'

const sentByTwo = ({ crossings }: TestNetwork) =>
  crossings.filter(({ from, target }) => from === 'two.test' && target.includes('/v1/send/'))

/** Returns an event with the hash and signature of the user's server, whatever is in it. */
function sealed(json: JsonObject, version: string, { server }: User): JsonObject {
  const hashed = { ...json, hashes: { sha256: contentHash(json) } }
  const { serverName, signingKey: key } = server.rt
  const signature = signBytes(signedFormOf(hashed, roomVersionOf(version)), key)
  return { ...hashed, signatures: { [serverName]: { [key.id]: signature } } }
}

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

  test('is told of a rejected invite and of a knock by the server that took them, not by ours', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
    const rules = `/_matrix/client/v3/${path(roomId, 'state/m.room.join_rules/')}`
    const knock = { token: alice.token, body: { join_rule: 'knock' } }
    assert.equal((await alice.server.call('PUT', rules, knock)).status, 200)
    const way = `/_matrix/client/v3/knock/${encodeURIComponent(roomId)}?server_name=one.test`
    assert.equal((await bob.server.call('POST', way, { token: bob.token, body: {} })).status, 200)
    await network.settle(async () => (await standing(alice, roomId, bob.userId)) === 'knock')
    await network.settle()
    assert.deepEqual(sentByTwo(network), [])
    await network.close()
  })

  for (const [version, isTaken] of [
    ['10', true],
    ['11', false],
  ] as const) {
    const name = isTaken ? 'has' : 'does not have'
    test(`${name} a state key there of 70 code points and 280 bytes in version ${version}`, async () => {
      const { network, alice, bob, roomId } = await stage(open, { roomOptions: { room_version: version } })
      assert.equal((await join(bob, roomId)).status, 200)
      await network.settle(async () => (await standing(alice, roomId, bob.userId)) === 'join')
      const promote = { users: { [alice.userId]: 100, [bob.userId]: 100 } }
      const levels = `/_matrix/client/v3/${path(roomId, 'state/m.room.power_levels/')}`
      assert.equal((await alice.server.call('PUT', levels, { token: alice.token, body: promote })).status, 200)
      const author = new ForeignAuthor(alice.server, bob.server)
      const stateKey = '𝒳'.repeat(70)
      const draft = { roomId, sender: bob.userId, type: 'a.b', stateKey: 'short', content: { at: 1 } }
      const { signatures: _signatures, hashes: _hashes, ...json } = (await author.build(draft)).json
      await author.send([sealed({ ...json, state_key: stateKey }, version, bob)])
      const url = `/_matrix/client/v3/${path(roomId, `state/a.b/${encodeURIComponent(stateKey)}`)}`
      const { status, body } = await alice.server.call('GET', url, { token: alice.token })
      assert.deepEqual([status, body['at']], isTaken ? [200, 1] : [404, undefined])
      await network.close()
    })
  }

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
