// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { objectMember } from '@myelin/matrix/json'
import { addSignature } from '@myelin/rules/events/signing'
import { policyRuling } from '@myelin/storage/rooms/policy-rulings'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { onEveryDatabase } from '../databases.ts'
import { create, join, path } from '../stages/federated-stage.ts'
import { ForeignAuthor } from '../foreign-author.ts'
import { policyStage } from '../stages/policy-stage.ts'

const bob = '@bob:two.test'
const content = { msgtype: 'm.text', body: 'hello' }

onEveryDatabase('a policy server signs nothing', (open) => {
  test('that is not what its own server said in a room that chose it', async () => {
    const { network, roomId, one, two, three, bypass, ask } = await policyStage(open)
    const draft = { roomId, sender: bob, type: 'm.room.message', content }
    const pdu = await bypass.build(draft)
    const { signatures, ...rest } = pdu.json
    const refused = [400, 'M_FORBIDDEN']
    const cases: readonly (readonly [string, JsonObject, readonly unknown[]])[] = [
      ['nobody signed', { ...rest, signatures: {} }, refused],
      [
        'another server signed',
        { ...rest, signatures: { 'three.test': objectMember(signatures as JsonObject, 'two.test') ?? {} } },
        refused,
      ],
      ['was changed after it was hashed', { ...pdu.json, content: { ...content, body: 'hullo' } }, refused],
      ['was changed after it was signed', { ...pdu.json, depth: 7 }, refused],
      ['has no signatures at all', rest, [400, 'M_BAD_JSON']],
      ['has no type', { ...pdu.json, type: 7 } as JsonObject, [400, 'M_BAD_JSON']],
      ['has numbers that nobody reads alike', { ...pdu.json, depth: 2 ** 60 } as JsonObject, [400, 'M_BAD_JSON']],
      ['says it is of no room', { ...pdu.json, room_id: 'here' }, [400, 'M_BAD_JSON']],
      ['is of a room that is not there', { ...pdu.json, room_id: '!nowhere:one.test' }, [404, 'M_NOT_FOUND']],
      ['is of no sender', { ...pdu.json, sender: 'bob' }, [400, 'M_BAD_JSON']],
    ]
    for (const [what, json, expected] of cases) {
      for (const server of [two, three]) assert.deepEqual(await ask(server, json), expected, what)
    }
    assert.equal(await policyRuling(one.rt.db.read, pdu.id), undefined)
    assert.ok('one.test' in (await ask(three, pdu.json)))
    await network.close()
  })

  test('in the name of a user of another server', async () => {
    const { network, roomId, two, bypass, ask } = await policyStage(open)
    for (const sender of ['@alice:one.test', '@carol:three.test']) {
      const forged = await bypass.build({ roomId, sender, type: 'm.room.message', content })
      assert.deepEqual(await ask(two, forged.json), [400, 'M_FORBIDDEN'], sender)
    }
    await network.close()
  })

  test('that is too large, or would be with its signature', async () => {
    const { network, roomId, two, bypass, ask } = await policyStage(open)
    const ofSize = (count: number) =>
      bypass.build({ roomId, sender: bob, type: 'm.room.message', content: { ...content, body: 'x'.repeat(count) } })
    const small = Buffer.byteLength(JSON.stringify((await ofSize(1)).json))
    const brimful = await ofSize(65536 - small)
    assert.deepEqual(await ask(two, brimful.json), [413, 'M_TOO_LARGE'])
    const padded = { ...brimful.json, content: { ...content, body: 'x'.repeat(70_000) } }
    assert.deepEqual(await ask(two, padded), [413, 'M_TOO_LARGE'])
    assert.ok('one.test' in (await ask(two, (await ofSize(65536 - small - 200)).json)))
    await network.close()
  })

  test('in the form of another room version', async () => {
    const { network, alice, bob: visitor, two, ask } = await policyStage(open)
    const old = await create(alice, { preset: 'public_chat', room_version: '2' })
    assert.equal((await join(visitor, old)).status, 200)
    const { body } = await alice.server.call('GET', '/.well-known/matrix/policy_server')
    const at = `/_matrix/client/v3/${path(old, 'state/m.room.policy/')}`
    await alice.server.call('PUT', at, { token: alice.token, body: { via: 'one.test', ...body } })
    const author = new ForeignAuthor(alice.server, two)
    const good = await author.build({ roomId: old, sender: bob, type: 'm.room.message', content })
    const { event_id: _id, ...newer } = good.json
    assert.deepEqual(await ask(two, newer), [400, 'M_BAD_JSON'])
    assert.ok('one.test' in (await ask(two, good.json)))
    await network.close()
  })

  test('of a room that names no policy server, another server, or another key', async () => {
    const { network, roomId, alice, two, bypass, ask } = await policyStage(open, { isUsed: false })
    const at = `/_matrix/client/v3/${path(roomId, 'state/m.room.policy/')}`
    const { body: own } = await alice.server.call('GET', '/.well-known/matrix/policy_server')
    const pdu = await bypass.build({ roomId, sender: bob, type: 'm.room.message', content })
    assert.deepEqual(await ask(two, pdu.json), [404, 'M_NOT_FOUND'])
    const wrongKey = { public_keys: { ed25519: Buffer.alloc(32, 1).toString('base64').replaceAll('=', '') } }
    // It can no longer be said to be the policy server by a key that it does not have.
    for (const body of [{ via: 'three.test', ...own }, { via: 'one.test' }, { via: 'one.test', ...wrongKey }]) {
      assert.equal((await alice.server.call('PUT', at, { token: alice.token, body })).status, 200)
      assert.deepEqual(await ask(two, pdu.json), [404, 'M_NOT_FOUND'], JSON.stringify(body))
    }
    await network.close()
  })

  test('that needs no signature, or comes from a server that the room keeps out', async () => {
    const { network, roomId, alice, two, three, bypass, ask } = await policyStage(open)
    const policy = await bypass.build({ roomId, sender: bob, type: 'm.room.policy', stateKey: '', content: {} })
    assert.deepEqual(await ask(two, policy.json), [400, 'M_FORBIDDEN'])
    const other = await bypass.build({ roomId, sender: bob, type: 'm.room.policy', stateKey: 'x', content: {} })
    assert.ok('one.test' in (await ask(two, other.json)))
    const pdu = await bypass.build({ roomId, sender: bob, type: 'm.room.message', content })
    const at = `/_matrix/client/v3/${path(roomId, 'state/m.room.server_acl/')}`
    const acl = { allow: ['*'], deny: ['two.test'] }
    assert.equal((await alice.server.call('PUT', at, { token: alice.token, body: acl })).status, 200)
    assert.deepEqual(await ask(two, pdu.json), [403, 'M_FORBIDDEN'])
    assert.deepEqual(await ask(three, pdu.json), [400, 'M_FORBIDDEN'])
    await network.close()
  })

  test('where it is no policy server, and is not fooled by a signature that is there already', async () => {
    const { network, roomId, two, three, bypass, ask } = await policyStage(open, { forbiddenTexts: ['hello'] })
    const pdu = await bypass.build({ roomId, sender: bob, type: 'm.room.message', content })
    const forged = addSignature(pdu, roomVersionOf('12'), {
      serverName: 'one.test' as never,
      key: { ...two.rt.signingKey, id: 'ed25519:policy_server' },
    })
    assert.deepEqual(await ask(two, forged.json), [400, 'M_FORBIDDEN'])
    const answer = await three.call('POST', '/_matrix/policy/v1/sign', { body: forged.json })
    assert.equal(answer.status, 401)
    await network.close()
    const bare = await policyStage(open, { isEnabled: false, isUsed: false })
    assert.deepEqual(await bare.ask(bare.two, pdu.json), [404, 'M_UNRECOGNIZED'])
    await bare.network.close()
  })
})
