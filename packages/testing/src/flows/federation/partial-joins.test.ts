// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { eventById, eventsByNid } from '@myelin/storage/rooms/events/events'
import { loadStateEvent } from '@myelin/services/room-state/load-auth-state'
import { roomById } from '@myelin/storage/rooms/rooms'
import { onEveryDatabase } from '../../databases.ts'
import { join, path, post, standing, stateOn, user } from '../../stages/federated-stage.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import {
  arrives,
  becomesWhole,
  checkConsistency,
  holdStates,
  isAskedAgain,
  isPartial,
  joinedIn,
  partialStage,
  passing,
  say,
  SILENCE,
  syncRoom,
} from '../../stages/partial-stage.ts'

onEveryDatabase('a room whose members were left out of the join', (open) => {
  test('accepts messages at once, from all members, and equals the others once its members are known', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, carol, roomId, held } = set
    const own = await say(bob, roomId, 'from two')
    await arrives(set, await say(alice, roomId, 'from one'), bob, carol)
    await arrives(set, own, alice, carol)
    await arrives(set, await say(carol, roomId, 'from three'), alice, bob)
    assert.equal(await isPartial(bob, roomId), true)
    held.answer(undefined)
    await becomesWhole(set)
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    const { joinedCount } = (await roomById(bob.server.rt.db.read, roomId)) ?? {}
    assert.equal(joinedCount, 4)
    await checkConsistency(bob)
    await network.close()
  })

  test('is shown to who loads members lazily, with those who speak; to others when all are known', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, carol, mallory, roomId, held } = set
    const everybody = [alice, bob, carol, mallory].map(({ userId }) => userId).toSorted()
    const lazy = await syncRoom(bob, roomId, { isLazy: true })
    const types = lazy.room?.state.events.map(({ type }) => type)
    assert.ok(types?.includes('m.room.name') && types.includes('m.room.create'))
    const eager = await syncRoom(bob, roomId, { isLazy: false })
    assert.equal(eager.room, undefined)
    await arrives(set, await say(carol, roomId, 'hello'), bob)
    const news = await syncRoom(bob, roomId, { since: lazy.next, isLazy: true })
    assert.deepEqual(joinedIn(news.room?.state.events), [carol.userId])
    const still = await syncRoom(bob, roomId, { since: eager.next, isLazy: false })
    assert.equal(still.room, undefined)
    held.answer(undefined)
    await becomesWhole(set)
    const whole = await syncRoom(bob, roomId, { since: still.next, isLazy: false })
    assert.deepEqual(joinedIn([...(whole.room?.state.events ?? []), ...(whole.room?.timeline.events ?? [])]), everybody)
    assert.deepEqual(
      whole.devices.toSorted(),
      everybody.filter((each) => each !== bob.userId),
    )
    const lazily = await syncRoom(bob, roomId, { since: news.next, isLazy: true })
    assert.deepEqual(lazily.room?.timeline.events, [])
    assert.equal(lazily.room?.summary['m.joined_member_count'], 4)
    await network.close()
  })

  test('says who is there when it is known', async () => {
    const set = await partialStage(open)
    const { network, bob, roomId, held } = set
    const ask = (what: string) =>
      bob.server.call('GET', `/_matrix/client/v3/${path(roomId, what)}`, { token: bob.token })
    assert.equal((await ask('state/m.room.name')).status, 200)
    assert.equal((await ask(`state/m.room.member/${bob.userId}`)).status, 200)
    const asked = ['joined_members', 'members', 'state', 'state/m.room.member/@carol:three.test'].map(ask)
    held.answer(undefined)
    await isAskedAgain(set)
    const [joined, members, state, carol] = await Promise.all(asked)
    assert.equal(Object.keys(joined?.body['joined'] as object).length, 4)
    assert.equal(joinedIn(members?.body['chunk'] as JsonObject[]).length, 4)
    assert.equal(joinedIn(state?.body as unknown as JsonObject[]).length, 4)
    assert.equal(carol?.status, 200)
    await network.close()
  })

  test('answers that its members are not known yet if that takes too long', async () => {
    const set = await partialStage(open)
    const { network, bob, roomId } = set
    const asked = ['joined_members', 'members', 'state', 'state/m.room.member/@carol:three.test'].map((what) =>
      bob.server.call('GET', `/_matrix/client/v3/${path(roomId, what)}`, { token: bob.token }),
    )
    for (const { status, body } of await passing(set, Promise.all(asked))) {
      assert.deepEqual([status, body['errcode']], [503, 'M_UNKNOWN'])
    }
    await network.close()
  })

  test('leaves joins and state requests to other servers', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, roomId } = set
    const dave = await user(network, 'dave', 'one.test')
    const before = network.crossings.length
    const { remote } = alice.server.rt
    const refused = async (target: string) => {
      const answer = await remote
        .call(bob.server.name, { method: 'GET', target })
        .catch((cause: { status?: number; errcode?: string }) => [cause.status, cause.errcode])
      assert.deepEqual(answer, [404, 'M_NOT_FOUND'])
    }
    await refused(`/_matrix/federation/v1/make_join/${roomId}/${dave.userId}?ver=12&ver=11`)
    const said = await say(alice, roomId, 'hello')
    await arrives(set, said, bob)
    await refused(`/_matrix/federation/v1/state_ids/${roomId}?event_id=${encodeURIComponent(said)}`)
    assert.ok(network.crossings.length > before)
    await network.close()
  })

  test('is continued after a restart, and retried while no server answers', async () => {
    const set = await partialStage(open)
    const { network, alice, roomId } = set
    await say(set.bob, roomId, 'before')
    const server = await network.restart('two.test')
    const bob = { ...set.bob, server }
    const held = holdStates(server, SILENCE)
    const startedTs = network.clock.now()
    await network.settle(() => held.asked.length >= 10)
    // Two servers at each try, and tries that come further and further apart.
    assert.deepEqual(new Set(held.asked), new Set(['one.test', 'three.test']))
    assert.ok(network.clock.now() - startedTs > 10 * 60_000)
    assert.equal(await isPartial(bob, roomId), true)
    await arrives(set, await say(alice, roomId, 'after'), bob)
    held.answer(undefined)
    await becomesWhole({ ...set, bob })
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    await checkConsistency(bob)
    await network.close()
  })

  test('revokes the messages and state changes of a user who turns out to be banned', async () => {
    const set = await partialStage(
      open,
      { room_version: '11', power_level_content_override: { state_default: 0, events: {} } },
      async (stage) => {
        const { alice, mallory, roomId, network } = stage
        await post(alice, path(roomId, 'ban'), { user_id: mallory.userId })
        await network.settle()
      },
    )
    const { network, alice, bob, mallory, roomId, held } = set
    const room = await roomById(alice.server.rt.db.read, roomId)
    const ban = await loadStateEvent(alice.server.rt.db.read, room?.stateRoot ?? 0, 'm.room.member', mallory.userId)
    const was = ban && (await eventById(alice.server.rt.db.read, ban.id))
    const joined = (await eventsByNid(alice.server.rt.db.read, [was?.replaces ?? 0])).get(was?.replaces ?? 0)?.pdu.id
    const named = (
      await Promise.all(
        ['m.room.create', 'm.room.power_levels'].map((type) =>
          loadStateEvent(alice.server.rt.db.read, room?.stateRoot ?? 0, type),
        ),
      )
    ).flatMap((event) => (event ? [event.id] : []))
    const author = new ForeignAuthor(bob.server, mallory.server)
    const authEvents = [...named, ...(joined === undefined ? [] : [joined])]
    const lie = { roomId, sender: mallory.userId, authEvents }
    const topic = await author.sendEvent({ ...lie, type: 'm.room.topic', stateKey: '', content: { topic: 'pwned' } })
    assert.equal((await eventById(bob.server.rt.db.read, topic.id))?.status, 0)
    const received = await syncRoom(bob, roomId, { isLazy: true })
    held.answer(undefined)
    await becomesWhole(set)
    assert.equal((await eventById(bob.server.rt.db.read, topic.id))?.status, 2)
    assert.equal(await standing(bob, roomId, mallory.userId), 'ban')
    const now = await syncRoom(bob, roomId, { since: received.next, isLazy: true })
    assert.deepEqual(
      now.room?.state.events.filter(({ state_key: key }) => key === mallory.userId).map(({ content }) => content),
      [{ membership: 'ban' }],
    )
    await checkConsistency(bob)
    await arrives(set, await say(bob, roomId, 'still here'), alice)
    await network.close()
  })

  test('can be left before its members are known, and is joined again in full', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, roomId, held } = set
    assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
    await network.settle(async () => (await standing(alice, roomId, bob.userId)) === 'leave')
    await becomesWhole(set)
    held.answer(undefined)
    assert.equal((await join(bob, roomId)).status, 200)
    assert.equal(await isPartial(bob, roomId), false)
    await arrives(set, await say(bob, roomId, 'back'), alice)
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    await checkConsistency(bob)
    await network.close()
  })

  test('is entered by another user of the server through a server that knows who is there', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, roomId, held } = set
    const dave = await user(network, 'dave', 'two.test')
    assert.equal((await passing(set, join(dave, roomId))).status, 200)
    assert.equal(await standing(bob, roomId, dave.userId), 'join')
    assert.equal(await isPartial(bob, roomId), true)
    await arrives(set, await say(dave, roomId, 'me too'), alice)
    held.answer(undefined)
    await becomesWhole(set)
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    await checkConsistency(bob)
    await network.close()
  })

  test('ends for who is kicked meanwhile', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, roomId } = set
    await post(alice, path(roomId, 'kick'), { user_id: bob.userId })
    await becomesWhole(set)
    assert.equal(await standing(bob, roomId, bob.userId), 'leave')
    await checkConsistency(bob)
    await network.close()
  })

  test('takes invites to who is not known yet when it is', async () => {
    const set = await partialStage(open, { power_level_content_override: { invite: 0 } })
    const { network, bob, roomId, held } = set
    const erin = await user(network, 'erin', 'one.test')
    const inviting = post(bob, path(roomId, 'invite'), { user_id: erin.userId })
    held.answer(undefined)
    await isAskedAgain(set)
    assert.equal((await passing(set, inviting)).status, 200)
    await network.close()
  })

  test('takes in what happened beside the join, on events that it does not have', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, carol, roomId, held } = set
    const aside = new ForeignAuthor(alice.server, carol.server)
    const [own] = await new ForeignAuthor(bob.server, bob.server).extremities(roomId)
    const joined = own && (await eventById(bob.server.rt.db.read, own))
    const first = joined?.pdu.prevEvents[0]
    const before = first && (await eventById(alice.server.rt.db.read, first))
    const older = before?.pdu.prevEvents[0]
    assert.ok(first && older)
    const message = (prevEvents: readonly EventId[], body: string) => ({
      roomId,
      sender: carol.userId,
      type: 'm.room.message',
      content: { msgtype: 'm.text', body },
      prevEvents,
    })
    const near = await aside.build(message([first], 'beside the join'))
    const far = await aside.build(message([older], 'beside what led to it'))
    const author = new ForeignAuthor(bob.server, carol.server)
    for (const pdu of [near, far]) {
      await aside.send([pdu.json])
      await author.send([pdu.json])
      assert.equal((await eventById(bob.server.rt.db.read, pdu.id))?.status, 0)
    }
    held.answer(undefined)
    await becomesWhole(set)
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    for (const pdu of [near, far]) assert.ok((await eventById(bob.server.rt.db.read, pdu.id))?.position)
    await checkConsistency(bob)
    await network.close()
  })
})
