// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { authEdges, writtenEarly } from '@myelin/storage/rooms/events/auth-edges'
import { eventById, pdusByNid, roomTail } from '@myelin/storage/rooms/events/events'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { backwardExtremities } from '@myelin/storage/rooms/events/outliers'
import { roomById } from '@myelin/storage/rooms/rooms'
import { eventIdsByNid } from '@myelin/storage/federation/served-events'
import { checkDatabase } from '@myelin/services/check-database'
import { onEveryDatabase } from '../../databases.ts'
import {
  create,
  join,
  lastEvent,
  offered,
  path,
  post,
  stage,
  standing,
  stateOn,
  sync,
  user,
} from '../../stages/federated-stage.ts'
import { ForeignAuthor } from '../../foreign-author.ts'

onEveryDatabase('rooms of several servers', (open) => {
  for (const version of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']) {
    test(`are joined through another server in version ${version}, and both then have one state`, async () => {
      const { network, alice, bob, roomId } = await stage(open, { roomOptions: { room_version: version } })
      const { status, body } = await join(bob, roomId)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      assert.equal(await standing(alice, roomId, bob.userId), 'join')
      const said = await bob.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'send/m.room.message/1')}`, {
        token: bob.token,
        body: { msgtype: 'm.text', body: 'hello' },
      })
      assert.equal(said.status, 200)
      await network.close()
    })
  }

  test('are joined by alias, and a sync then shows all of them', async () => {
    const { network, bob, roomId } = await stage(open, { roomOptions: { room_alias_name: 'meeting' } })
    const { status, body } = await join(bob, '#meeting:one.test', [])
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body['room_id'], roomId)
    const synced = await bob.server.call('GET', '/_matrix/client/v3/sync', { token: bob.token })
    const rooms = synced.body['rooms'] as { join: Record<string, { state: { events: { type: string }[] } }> }
    const types = rooms.join[roomId]?.state.events.map(({ type }) => type)
    assert.ok(types?.includes('m.room.name') && types.includes('m.room.create'))
    await network.close()
  })

  test('are asked of the next server where one does not answer, does not know them or refuses', async () => {
    const { network, bob, roomId } = await stage(open, { servers: 3 })
    const { status, body } = await join(bob, roomId, ['nowhere.test', 'three.test', 'one.test'])
    assert.equal(status, 200, JSON.stringify(body))
    const asked = network.crossings.filter(({ target }) => target.includes('/make_join/')).map(({ to }) => to)
    assert.deepEqual(asked, ['nowhere.test', 'three.test', 'one.test'])
    await network.close()
  })

  test('relay the reason for which every server refuses a join', async () => {
    const { network, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    const refused = await join(bob, roomId)
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
    const unknown = await join(bob, '!nobody-knows:one.test')
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND'])
    network.partition(['one.test'], ['two.test'])
    const silent = await join(bob, roomId)
    assert.deepEqual([silent.status, silent.body['errcode']], [502, 'M_UNKNOWN'])
    assert.equal(await standing(bob, roomId, bob.userId), undefined)
    await network.close()
  })

  test('are fetched once where two users join at once', async () => {
    const { network, bob, roomId } = await stage(open)
    const carol = await user(network, 'carol', 'two.test')
    const answers = await Promise.all([join(bob, roomId), join(carol, roomId)])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    assert.equal(network.crossings.filter(({ target }) => target.includes('/send_join/')).length, 1)
    assert.equal(await standing(bob, roomId, carol.userId), 'join')
    await network.close()
  })

  test('start anew after all users of a server left and one joins again', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    assert.equal((await join(bob, roomId)).status, 200)
    await new ForeignAuthor(alice.server, bob.server).send([
      await lastEvent(bob, () => post(bob, path(roomId, 'leave')), roomId),
    ])
    assert.equal(await standing(alice, roomId, bob.userId), 'leave')
    assert.equal((await post(alice, path(roomId, 'kick'), { user_id: bob.userId })).status, 403)
    const topic = await alice.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'state/m.room.topic/')}`, {
      token: alice.token,
      body: { topic: 'while you were away' },
    })
    assert.equal(topic.status, 200)
    const { status, body } = await join(bob, roomId)
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    const gaps = await backwardExtremities(bob.server.rt.db.read, roomId)
    assert.ok(gaps.some(({ eventId }) => eventId === topic.body['event_id']))
    const servers = await joinedServers(bob.server.rt.db.read, roomId)
    assert.deepEqual(Object.fromEntries(servers), { 'one.test': 1, 'two.test': 1 })
    await network.close()
  })

  for (const version of ['1', '6', '11', '12']) {
    test(`of version ${version} are shown to an invited user of another server, who accepts`, async () => {
      const { network, alice, bob, roomId } = await stage(open, {
        roomOptions: { preset: 'private_chat', room_version: version },
      })
      const invited = await post(alice, path(roomId, 'invite'), { user_id: bob.userId, reason: 'come in' })
      assert.equal(invited.status, 200, JSON.stringify(invited.body))
      const shown = new Map((await offered(bob, 'invite', roomId)).map((event) => [event['type'], event]))
      assert.equal(Object.keys(shown.get('m.room.name') ?? {}).length, 4)
      assert.ok(shown.has('m.room.create'))
      const { status, body } = await join(bob, roomId, [])
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      assert.deepEqual(await offered(bob, 'invite', roomId), [])
      await network.close()
    })
  }

  test('know what an invite rests on once they are joined by it, though it came before all that', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    await network.settle()
    const { read } = bob.server.rt.db
    const invite = (await membershipIn(read, roomId, bob.userId as UserId))?.eventNid ?? 0
    assert.deepEqual((await authEdges(read, [invite])).get(invite), [])
    assert.equal((await join(bob, roomId)).status, 200)
    const edges = (await authEdges(read, [invite])).get(invite) ?? []
    const named = (await pdusByNid(read, [invite])).get(invite)?.authEvents ?? []
    assert.ok(named.length > 2)
    assert.deepEqual(await eventIdsByNid(read, edges), named)
    assert.deepEqual(await writtenEarly(read, [invite]), new Set())
    for await (const { what, name, fault } of checkDatabase(read)) assert.fail(`${what} ${name}: ${fault}`)
    await network.close()
  })

  test('are made with invited users of other servers', async () => {
    const { network, alice, bob } = await stage(open)
    const roomId = await create(alice, { invite: [bob.userId, '@nobody:nowhere.test'], is_direct: true })
    assert.ok((await offered(bob, 'invite', roomId)).length > 0)
    assert.equal(await standing(alice, roomId, bob.userId), 'invite')
    assert.equal(await standing(alice, roomId, '@nobody:nowhere.test'), undefined)
    await network.close()
  })

  test('are left by who rejects an invite, there too', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    const { status, body } = await post(bob, path(roomId, 'leave'))
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(await standing(alice, roomId, bob.userId), 'leave')
    assert.deepEqual(await offered(bob, 'invite', roomId), [])
    assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
    assert.equal((await join(bob, roomId)).status, 403)
    await network.close()
  })

  test('are left by who rejects an invite where no server answers, and a sync says so', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    network.partition(['one.test'], ['two.test'])
    const since = String((await sync(bob)).body['next_batch'])
    assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
    assert.equal(await standing(bob, roomId, bob.userId), 'leave')
    const rooms = (await sync(bob, since)).body['rooms'] as Record<string, Record<string, JsonObject>>
    assert.ok(rooms['leave']?.[roomId])
    await network.close()
  })

  test('are not shown to users who block invites, and the inviter gets an error', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    const setting = `user/${encodeURIComponent(bob.userId)}/account_data/m.invite_permission_config`
    const set = await bob.server.call('PUT', `/_matrix/client/v3/${setting}`, {
      token: bob.token,
      body: { default_action: 'block' },
    })
    assert.equal(set.status, 200)
    const { status, body } = await post(alice, path(roomId, 'invite'), { user_id: bob.userId })
    assert.deepEqual([status, body['errcode']], [403, 'M_INVITE_BLOCKED'])
    assert.equal(await standing(alice, roomId, bob.userId), undefined)
    const silent = await post(alice, path(roomId, 'invite'), { user_id: '@nobody:nowhere.test' })
    assert.deepEqual([silent.status, silent.body['errcode']], [502, 'M_UNKNOWN'])
    await network.close()
  })

  for (const version of ['7', '12']) {
    test(`of version ${version} are knocked at from another server; the knock is taken back, or answered with an invite`, async () => {
      const { network, alice, bob, roomId } = await stage(open, {
        roomOptions: {
          room_version: version,
          initial_state: [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }],
        },
      })
      const knock = () => post(bob, `knock/${encodeURIComponent(roomId)}?via=one.test`, { reason: 'please' })
      const { status, body } = await knock()
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(await standing(alice, roomId, bob.userId), 'knock')
      const shown = (await offered(bob, 'knock', roomId)).map(({ type }) => type)
      assert.ok(shown.includes('m.room.name') && shown.includes('m.room.member'))
      assert.equal((await post(bob, path(roomId, 'leave'))).status, 200)
      assert.equal(await standing(alice, roomId, bob.userId), 'leave')
      assert.deepEqual(await offered(bob, 'knock', roomId), [])
      const knocked = await lastEvent(alice, async () => assert.equal((await knock()).status, 200), roomId)
      const invite = async () =>
        assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
      const invited = await lastEvent(alice, invite, roomId)
      // The template that servers exchange names its author.
      assert.deepEqual([knocked['origin'], invited['origin']], ['two.test', 'one.test'])
      assert.deepEqual(await offered(bob, 'knock', roomId), [])
      assert.equal((await join(bob, roomId, [])).status, 200)
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      await network.close()
    })
  }

  test('that take no knocks refuse them, from here and from elsewhere', async () => {
    const { network, bob, roomId } = await stage(open)
    const carol = await user(network, 'carol', 'one.test')
    for (const who of [bob, carol]) {
      const { status, body } = await post(who, `knock/${encodeURIComponent(roomId)}?via=one.test`)
      assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
    }
    const unknown = await post(bob, `knock/${encodeURIComponent('!nobody-knows:one.test')}`)
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND'])
    await network.close()
  })

  test('that only members of another room may join take those in, with the signature of a server that may', async () => {
    const { network, alice, bob, roomId: space } = await stage(open, { servers: 3 })
    const carol = await user(network, 'carol', 'three.test')
    const rule = { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: space }] }
    const roomId = await create(alice, {
      initial_state: [{ type: 'm.room.join_rules', state_key: '', content: rule }],
    })
    const outside = await join(bob, roomId)
    assert.deepEqual([outside.status, outside.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.equal((await join(bob, space)).status, 200)
    const inside = await join(bob, roomId)
    assert.equal(inside.status, 200, JSON.stringify(inside.body))
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    // Two.test is in the room and in the space now, but nobody of it may invite: the next server is asked.
    const levels = await alice.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'state/m.room.power_levels/')}`, {
      token: alice.token,
      body: { users: {}, invite: 50 },
    })
    assert.equal(levels.status, 200, JSON.stringify(levels.body))
    const author = new ForeignAuthor(bob.server, alice.server)
    const row = await roomById(alice.server.rt.db.read, roomId)
    const [latest] = await roomTail(alice.server.rt.db.read, roomId, row?.lastPosition ?? 0)
    await author.send([latest?.pdu.json ?? {}])
    assert.equal((await join(carol, space)).status, 200)
    const through = await join(carol, roomId, ['two.test', 'one.test'])
    assert.equal(through.status, 200, JSON.stringify(through.body))
    assert.deepEqual(await stateOn(carol, roomId), await stateOn(alice, roomId))
    await network.close()
  })

  test('are not offered any more once the invite was taken back', async () => {
    const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    assert.ok((await offered(bob, 'invite', roomId)).length > 0)
    assert.equal((await post(alice, path(roomId, 'kick'), { user_id: bob.userId })).status, 200)
    await network.settle(async () => (await standing(bob, roomId, bob.userId)) === 'leave')
    assert.deepEqual(await offered(bob, 'invite', roomId), [])
    await network.close()
  })

  test('deliver messages to all members, and end for a banned user', async () => {
    const { network, alice, bob, roomId } = await stage(open, { servers: 3 })
    const carol = await user(network, 'carol', 'three.test')
    assert.equal((await join(bob, roomId)).status, 200)
    // Three.test joins through two.test, which sends the join to one.test.
    assert.equal((await join(carol, roomId, ['two.test'])).status, 200)
    await network.settle(async () => (await standing(alice, roomId, carol.userId)) === 'join')
    const said = await carol.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'send/m.room.message/1')}`, {
      token: carol.token,
      body: { msgtype: 'm.text', body: 'hello' },
    })
    const id = said.body['event_id'] as EventId
    for (const who of [alice, bob]) {
      await network.settle(async () => (await eventById(who.server.rt.db.read, id))?.position !== undefined)
    }
    assert.equal((await post(alice, path(roomId, 'ban'), { user_id: carol.userId })).status, 200)
    await network.settle(async () => (await standing(carol, roomId, carol.userId)) === 'ban')
    assert.equal((await join(carol, roomId, ['two.test', 'one.test'])).status, 403)
    await network.close()
  })
})
