// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import { signatureOf } from '@myelin/matrix/signatures'
import { eventById } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import { onEveryDatabase } from '../../databases.ts'
import { create, join, path, post, user } from '../../stages/federated-stage.ts'
import { fateOn, policyStage, usePolicyServer } from '../../stages/policy-stage.ts'

const HOUR_MS = 3_600_000

onEveryDatabase('a server that is the policy server of a room', (open) => {
  test('signs allowed events of all servers, and its own without a request', async () => {
    const { network, alice, bob, one, three, say, asked, settled } = await policyStage(open)
    const [theirs, ours] = [await say(bob, 'hello'), await say(alice, 'hello bob')]
    await settled()
    assert.deepEqual([theirs.status, ours.status], [200, 200])
    for (const server of [one, three]) {
      for (const { body } of [theirs, ours]) {
        assert.equal(await fateOn(server, body['event_id']), 'accepted')
        const stored = await eventById(server.rt.db.read, body['event_id'] as EventId)
        assert.ok(stored && signatureOf(stored.pdu.json, 'one.test', 'ed25519:policy_server'))
      }
    }
    const stored = await eventById(one.rt.db.read, ours.body['event_id'] as EventId)
    assert.ok(stored && signatureOf(stored.pdu.json, 'one.test', one.rt.signingKey.id))
    assert.equal(asked(), 1)
    await network.close()
  })

  test('refuses forbidden words to its own and to others, and nothing of them is kept', async () => {
    const { network, roomId, bob, say, settled } = await policyStage(open, { forbiddenTexts: ['buy*coin'] })
    const eve = await user(network, 'eve', 'one.test')
    assert.equal((await join(eve, roomId)).status, 200)
    for (const who of [eve, bob]) {
      await settled()
      const before = (await roomById(who.server.rt.db.read, roomId))?.lastPosition
      const refused = await say(who, 'BUY so\u200bme\u00a0Co\u200bin now')
      assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_FORBIDDEN'])
      assert.equal((await roomById(who.server.rt.db.read, roomId))?.lastPosition, before)
      assert.equal((await say(who, 'buy some bread')).status, 200)
    }
    await network.close()
  })

  test('lets moderators say what others cannot', async () => {
    const { network, alice, bob, say } = await policyStage(open, { forbiddenTexts: ['spam'] })
    assert.equal((await say(alice, 'no spam here, please')).status, 200)
    assert.equal((await say(bob, 'spam')).status, 400)
    await network.close()
  })

  test('keeps unsigned spam from all other servers, and lets allowed events pass', async () => {
    const { network, roomId, three, bypass, asked, settled } = await policyStage(open, { forbiddenTexts: ['spam'] })
    const draft = { roomId, sender: '@bob:two.test', type: 'm.room.message' }
    const spam = await bypass.sendEvent({ ...draft, content: { msgtype: 'm.text', body: 'spam' } })
    const fine = await bypass.sendEvent({ ...draft, content: { msgtype: 'm.text', body: 'fine' } })
    await settled()
    assert.deepEqual([await fateOn(three, spam.id), await fateOn(three, fine.id)], ['softFailed', 'accepted'])
    assert.equal(asked(), 2)
    await network.close()
  })

  test('gives one ruling per event to all servers, and counts it once', async () => {
    const { network, two, three, roomId, bypass, ask } = await policyStage(open, {
      rate: { perSecond: 0.001, burstCount: 1 },
    })
    const draft = { roomId, sender: '@bob:two.test', type: 'm.room.message' }
    const first = await bypass.build({ ...draft, content: { msgtype: 'm.text', body: 'one' } })
    const second = await bypass.build({ ...draft, content: { msgtype: 'm.text', body: 'two' } })
    const signed = await Promise.all([two, three, two, three].map((server) => ask(server, first.json)))
    assert.ok(signed.every((answer) => 'one.test' in answer))
    // The sender can wait for a signature; a recipient cannot.
    assert.deepEqual(await ask(two, second.json), [429, 'M_LIMIT_EXCEEDED'])
    assert.deepEqual(await ask(three, second.json), [400, 'M_FORBIDDEN'])
    network.clock.jump(HOUR_MS)
    assert.deepEqual(await ask(two, second.json), [400, 'M_FORBIDDEN'])
    assert.deepEqual(await ask(three, first.json), signed[0])
    await network.close()
  })

  test('returns `retry_after_ms` to a sender above the rate', async () => {
    const { network, bob, say } = await policyStage(open, { rate: { perSecond: 0.1, burstCount: 2 } })
    const statuses = [(await say(bob, '1')).status, (await say(bob, '2')).status]
    const held = await say(bob, '3')
    assert.deepEqual([...statuses, held.status, held.body['errcode']], [200, 200, 429, 'M_LIMIT_EXCEEDED'])
    assert.ok(Number(held.body['retry_after_ms']) > 0)
    network.clock.advance(Number(held.body['retry_after_ms']))
    assert.equal((await say(bob, '3')).status, 200)
    await network.close()
  })

  test('refuses what mentions too many', async () => {
    const { network, bob, say } = await policyStage(open, { maxMentions: 2 })
    const ids = ['@a:one.test', '@b:one.test', '@c:one.test']
    assert.equal((await say(bob, 'hi', { 'm.mentions': { user_ids: ids.slice(1) } })).status, 200)
    assert.equal((await say(bob, 'hi', { 'm.mentions': { user_ids: ids } })).status, 400)
    assert.equal((await say(bob, `hi ${ids.join(', ')}!`)).status, 400)
    await network.close()
  })
})

onEveryDatabase('a policy server with lists and newcomers', (open) => {
  test('refuses whom its ban lists name, lets them go, and forgives when the rule goes', async () => {
    const lists: string[] = []
    const { network, alice, bob, carol, roomId, say } = await policyStage(open, { banLists: lists })
    const list = await create(alice, { preset: 'private_chat' })
    lists.push(list)
    const rule = (type: string, key: string, body: object) =>
      alice.server.call('PUT', `/_matrix/client/v3/${path(list, `state/${type}/${key}`)}`, { token: alice.token, body })
    assert.equal((await say(bob, 'hello')).status, 200)
    await rule('m.policy.rule.user', 'a', { entity: '@b?b:*', recommendation: 'm.ban', reason: 'noise' })
    const refused = await say(bob, 'hello')
    assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_FORBIDDEN'])
    assert.match(String(refused.body['error']), /noise/)
    assert.equal((await say(carol, 'hello')).status, 200)
    await rule('m.policy.rule.user', 'a', {})
    const forgiven = await say(bob, 'hello')
    assert.equal(forgiven.status, 200, JSON.stringify(forgiven.body))
    await rule('m.policy.rule.server', 'b', { entity: 'THREE.test', recommendation: 'org.matrix.mjolnir.ban' })
    await rule('m.policy.rule.server', 'c', { entity: 'two.test', recommendation: 'org.example.watch' })
    assert.deepEqual([(await say(carol, 'hello')).status, (await say(bob, 'hello')).status], [400, 200])
    assert.equal((await post(carol, path(roomId, 'leave'))).status, 200)
    await network.close()
  })

  test('does not let the banned in through any door, and remembers who comes in', async () => {
    const lists: string[] = []
    const newcomers = { forMs: HOUR_MS, eventTypes: [], messageTypes: ['m.im*'], mayLink: false }
    const { network, alice, bob, roomId, say } = await policyStage(open, { banLists: lists, newcomers })
    const list = await create(alice, { preset: 'private_chat' })
    lists.push(list)
    const body = { entity: '@mallory:*', recommendation: 'm.ban' }
    const at = path(list, 'state/m.policy.rule.user/a')
    await alice.server.call('PUT', `/_matrix/client/v3/${at}`, { token: alice.token, body })
    const mallory = await user(network, 'mallory', 'three.test')
    const [fresh, local] = [await user(network, 'dave', 'two.test'), await user(network, 'eve', 'one.test')]
    assert.equal((await join(mallory, roomId)).status, 400)
    const image = { msgtype: 'm.image', url: 'mxc://two.test/a' }
    for (const who of [fresh, local]) {
      assert.equal((await join(who, roomId)).status, 200)
      assert.equal((await say(who, 'hello')).status, 200)
      assert.equal((await say(who, 'a picture', image)).status, 400)
      assert.equal((await say(who, 'see https://two.test/')).status, 400)
    }
    assert.equal((await say(bob, 'a picture', image)).status, 200)
    network.clock.jump(HOUR_MS)
    for (const who of [fresh, local]) assert.equal((await say(who, 'a picture', image)).status, 200)
    await network.close()
  })

  test('can be named from the beginning of a room of its own', async () => {
    const { network, alice, one } = await policyStage(open, { forbiddenTexts: ['spam'] })
    // Between two runs of a unit time passes.
    const [{ clock }, stopped] = [one.rt, one.rt.clock.now()]
    let looks = 0
    clock.now = () => stopped + looks++
    const { body } = await one.call('GET', '/.well-known/matrix/policy_server')
    const policy = { type: 'm.room.policy', state_key: '', content: { via: 'one.test', ...body } }
    const made = await post(alice, 'createRoom', {
      preset: 'public_chat',
      name: 'Ours',
      initial_state: [policy] as never,
    })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    await network.close()
  })

  test('is of no effect in rooms it is not to serve', async () => {
    const { network, bob, say, alice, roomId } = await policyStage(open, { rooms: ['!other*'], isUsed: false })
    assert.equal((await say(bob, 'hello')).status, 200)
    await usePolicyServer(alice, roomId)
    assert.equal((await say(alice, 'hello')).status, 404)
    await network.close()
  })
})
