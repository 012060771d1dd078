// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { standInGateway } from '../../push-gateway.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import { pusher, pushStage, URL_OF_GATEWAY } from '../../stages/push-stage.ts'

onEveryDatabase('push', (open) => {
  test('sends the gateway every field of the spec', async (t) => {
    const { server, gateway, alice, bob, call, say, settled, roomId } = await pushStage(open, t)
    await call('PUT', `profile/${alice.userId}/displayname`, alice, { displayname: 'Alice' })
    await call('POST', 'pushers/set', bob, pusher())
    const event = await say(alice)
    await settled()
    assert.equal(gateway.got.length, 1)
    assert.deepEqual(gateway.got[0], {
      url: URL_OF_GATEWAY,
      notification: {
        id: event,
        event_id: event,
        room_id: roomId,
        type: 'm.room.message',
        sender: alice.userId,
        sender_display_name: 'Alice',
        room_name: 'Tea',
        prio: 'high',
        counts: { unread: 1 },
        content: { msgtype: 'm.text', body: 'hello' },
        devices: [
          {
            app_id: 'test.app',
            pushkey: 'key',
            pushkey_ts: Math.floor(server.rt.clock.now() / 1000),
            data: { colour: 'blue' },
            tweaks: { sound: 'default' },
          },
        ],
      },
    })
  })

  test('sends only IDs for the format event_id_only', async (t) => {
    const { gateway, alice, bob, call, say, settled, roomId } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher({ data: { url: URL_OF_GATEWAY, format: 'event_id_only' } }))
    const event = await say(alice)
    await settled()
    const { notification } = gateway.got[0]!
    assert.deepEqual(Object.keys(notification).toSorted(), ['counts', 'devices', 'event_id', 'prio', 'room_id'])
    assert.deepEqual([notification['event_id'], notification['room_id']], [event, roomId])
    const [device] = notification['devices'] as JsonObject[]
    assert.deepEqual(Object.keys(device!).toSorted(), ['app_id', 'data', 'pushkey', 'pushkey_ts'])
    assert.deepEqual(device?.['data'], { format: 'event_id_only' })
  })

  test('leaves out the content where the admin says so, and counts messages', async (t) => {
    const push = {
      isEnabled: true,
      includesContent: false,
      countsRooms: false,
      withEncryptedEvents: false,
      jitterMs: 0,
    }
    const { gateway, alice, bob, call, say, settled } = await pushStage(open, t, { push })
    await call('POST', 'pushers/set', bob, pusher())
    await say(alice)
    await settled()
    await say(alice)
    await settled()
    assert.deepEqual(
      gateway.got.map(({ notification }) => [notification['content'], notification['counts']]),
      [
        [undefined, { unread: 1 }],
        [undefined, { unread: 2 }],
      ],
    )
  })

  test('is for every encrypted event where the admin says so, unless the user disabled the rule', async (t) => {
    const encryptedEvents = async (withEncryptedEvents: boolean, isEnabled?: boolean) => {
      const push = { ...testConfig.push, withEncryptedEvents }
      const { gateway, alice, bob, call, settled, room } = await pushStage(open, t, { push })
      await call('POST', 'pushers/set', bob, pusher())
      const rule = 'pushrules/global/override/.org.matrix.msc4028.encrypted_event'
      if (isEnabled !== undefined) await call('PUT', `${rule}/enabled`, bob, { enabled: isEnabled })
      const edit = { ciphertext: 'x', 'm.relates_to': { rel_type: 'm.replace', event_id: '$e' } }
      await call('PUT', `${room}/send/m.room.encrypted/e`, alice, edit)
      await settled()
      return gateway.got.length
    }
    assert.equal(await encryptedEvents(true), 1)
    assert.equal(await encryptedEvents(true, false), 0)
    assert.equal(await encryptedEvents(false), 0)
    assert.equal(await encryptedEvents(false, true), 1)
  })

  test('has a badge that falls when the user sends something, and grows with each room', async (t) => {
    const { gateway, alice, bob, call, say, settled, room } = await pushStage(open, t)
    const { room_id: other } = await call('POST', 'createRoom', alice, { preset: 'public_chat' })
    await call('POST', `join/${encodeURIComponent(String(other))}`, bob, {})
    await call('POST', 'pushers/set', bob, pusher())
    await say(alice, 'here')
    await say(alice, 'again')
    await settled()
    const elsewhere = (txn: string) =>
      call('PUT', `rooms/${encodeURIComponent(String(other))}/send/m.room.message/${txn}`, alice, {
        msgtype: 'm.text',
        body: txn,
      })
    await elsewhere('there')
    await settled()
    await say(bob, 'read')
    await settled()
    await elsewhere('there again')
    await settled()
    await say(alice, 'here once more')
    await settled()
    assert.ok(room)
    assert.deepEqual(
      gateway.got.map(({ notification }) => (notification['counts'] as JsonObject)['unread']),
      [1, 1, 2, 1, 2],
    )
  })

  test('is for each of many events at once, in their order, where the gateway takes them', async (t) => {
    const push = { ...testConfig.push, jitterMs: 1_000 }
    const { server, alice, bob, call, say, gateway, settled } = await pushStage(open, t, { push })
    await call('POST', 'pushers/set', bob, pusher())
    // The first one waits for the clock, so the others queue up behind it, more than a queue holds.
    const words = Array.from({ length: 250 }, (_, number) => `word ${number}`)
    for (const word of words) await say(alice, word)
    let isSettled = false
    const settling = settled()?.then(() => (isSettled = true))
    for (let turn = 0; !isSettled; turn++) {
      if (turn % 10 === 0) server.rt.clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await settling
    const bodies = gateway.got.map(({ notification }) => (notification['content'] as JsonObject | undefined)?.['body'])
    assert.deepEqual(bodies, words)
  })

  test('comes in the order of the events, each once, and never to its sender', async (t) => {
    const { alice, bob, call, say, pushed } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await call('POST', 'pushers/set', alice, pusher({ pushkey: 'of alice' }))
    const words = Array.from({ length: 12 }, (_, number) => `word ${number}`)
    for (const word of words) await say(alice, word)
    assert.deepEqual(await pushed(), words)
  })

  test('obeys the rules of each user', async (t) => {
    const { alice, bob, call, say, pushed, room } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await call('PUT', `pushrules/global/room/${room.slice(6)}`, bob, { actions: [] })
    await say(alice, 'quiet')
    await pushed()
    await say(alice, 'for bob', { 'm.mentions': { user_ids: [bob.userId] } })
    await call('PUT', 'pushrules/global/content/cake', bob, { pattern: 'cake', actions: ['notify'] })
    await say(alice, 'there is cake')
    await pushed()
    await call('PUT', 'pushrules/global/override/.m.rule.master/enabled', bob, { enabled: true })
    await say(alice, 'cake again')
    assert.deepEqual(await pushed(), ['for bob', 'there is cake'])
  })

  test('leaves out who is ignored, and what was redacted before it left', async (t) => {
    const { gateway, alice, bob, call, say, pushed, room, server } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await call('PUT', `user/${bob.userId}/account_data/m.ignored_user_list`, bob, {
      ignored_users: { [alice.userId]: {} },
    })
    await say(alice, 'unseen')
    await pushed()
    await call('PUT', `user/${bob.userId}/account_data/m.ignored_user_list`, bob, { ignored_users: {} })
    assert.deepEqual(await pushed(), [])
    gateway.answer(() => 'down')
    const secret = await say(alice, 'secret')
    await server.workers.push?.settled()
    await call('PUT', `${room}/redact/${encodeURIComponent(secret)}/r`, alice, {})
    gateway.answer(() => ({ status: 200 }))
    server.rt.clock.advance(10_000)
    assert.ok(!(await pushed()).includes('secret'))
  })

  test('is not for what came before the pusher or before the join', async (t) => {
    const { alice, bob, call, say, pushed, room, server } = await pushStage(open, t)
    await say(alice, 'before the pusher')
    await call('POST', 'pushers/set', bob, pusher())
    const carol = await server.register('carol')
    await call('POST', 'pushers/set', carol, pusher({ pushkey: 'of carol' }))
    await say(alice, 'before the join')
    await call('POST', `${room}/join`, carol, {})
    await say(alice, 'after')
    assert.deepEqual(
      (await pushed()).map(String).toSorted((a, b) => a.localeCompare(b)),
      ['after', 'after', 'before the join'],
    )
  })

  test('sends an invite, with its membership and `user_is_target`', async (t) => {
    const { gateway, alice, call, settled, server } = await pushStage(open, t)
    const carol = await server.register('carol')
    await call('POST', 'pushers/set', carol, pusher())
    await call('POST', 'createRoom', alice, { invite: [carol.userId], name: 'Cellar' })
    await settled()
    const { notification } = gateway.got[0]!
    const { type, membership, user_is_target: isTarget, counts } = notification
    assert.deepEqual([type, membership, isTarget, counts], ['m.room.member', 'invite', true, { unread: 1 }])
  })

  test('sends a new badge once after the user has read', async (t) => {
    const { gateway, alice, bob, call, say, pushed, room } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    const event = await say(alice)
    await pushed()
    const read = () => call('POST', `${room}/receipt/m.read/${encodeURIComponent(event)}`, bob, {})
    await read()
    await pushed()
    await read()
    assert.deepEqual(await pushed(), ['hello', 0])
    assert.deepEqual(Object.keys(gateway.got[1]!.notification).toSorted(), ['counts', 'devices', 'prio'])
  })

  test('has no badge where the app wants none', async (t) => {
    const { gateway, alice, bob, call, say, settled, room } = await pushStage(open, t)
    const data = { url: URL_OF_GATEWAY, 'org.matrix.msc4076.disable_badge_count': true }
    await call('POST', 'pushers/set', bob, pusher({ data }))
    const event = await say(alice)
    await settled()
    await call('POST', `${room}/receipt/m.read/${encodeURIComponent(event)}`, bob, {})
    await settled()
    assert.deepEqual(
      gateway.got.map(({ notification }) => notification['counts']),
      [undefined],
    )
  })

  test('tries again with growing pauses until the gateway takes it, and then sends what was missed', async (t) => {
    const { gateway, alice, bob, call, say, pushed, server } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    gateway.answer(() => ({ status: 500 }))
    await say(alice, 'one')
    await pushed()
    await say(alice, 'two')
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      assert.deepEqual(await pushed(), [])
      const before = gateway.tried.length
      server.rt.clock.advance(pauseMs - 1)
      await pushed()
      assert.equal(gateway.tried.length, before)
      server.rt.clock.advance(1)
      await pushed()
      assert.equal(gateway.tried.length, before + 1)
    }
    gateway.answer(() => ({ status: 200 }))
    server.rt.clock.advance(8_000)
    assert.deepEqual(await pushed(), ['one', 'two'])
  })

  test('waits as long as a gateway that is too busy asks for', async (t) => {
    const { gateway, alice, bob, call, say, pushed, server } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    gateway.answer(() => ({ status: 429, headers: { 'retry-after': '120' } }))
    await say(alice, 'one')
    await pushed()
    gateway.answer(() => ({ status: 200 }))
    server.rt.clock.advance(119_000)
    assert.deepEqual(await pushed(), [])
    server.rt.clock.advance(1_000)
    assert.deepEqual(await pushed(), ['one'])
  })

  test('skips what was read while the gateway was down', async (t) => {
    const { gateway, alice, bob, call, say, pushed, room, server } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    gateway.answer(() => 'down')
    const event = await say(alice, 'one')
    await pushed()
    await call('POST', `${room}/receipt/m.read/${encodeURIComponent(event)}`, bob, {})
    await say(alice, 'two')
    gateway.answer(() => ({ status: 200 }))
    server.rt.clock.advance(3_600_000)
    assert.deepEqual(await pushed(), ['two'])
  })

  test('of a gateway that hangs delays nobody else', async (t) => {
    const { gateway, alice, bob, call, say, room, server } = await pushStage(open, t)
    const carol = await server.register('carol')
    await call('POST', `${room}/join`, carol, {})
    const url = 'https://hung.test/_matrix/push/v1/notify'
    await call('POST', 'pushers/set', bob, pusher({ data: { url } }))
    await call('POST', 'pushers/set', carol, pusher({ pushkey: 'of carol' }))
    gateway.answer((got) => (got.url === url ? 'hang' : { status: 200 }))
    for (const word of ['one', 'two', 'three']) await say(alice, word)
    while (gateway.got.length < 3) await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(gateway.tried.filter((tried) => tried.url === url).length, 1)
  })

  test('goes on after a restart where it stopped', async (t) => {
    const opened = await open({ committed: () => {} })
    t.after(() => opened.close())
    const again: OpenDatabase = async () => ({ ...opened, close: async () => {} })
    const first = await pushStage(again, t)
    await first.call('POST', 'pushers/set', first.bob, pusher())
    first.gateway.answer(() => 'down')
    await first.say(first.alice, 'one')
    await first.settled()
    await first.server.close()
    const gateway = standInGateway()
    const second = await testServer(again, {}, { transport: gateway.transport })
    t.after(() => second.close())
    second.rt.clock.advance(60_000)
    await second.workers.push?.settled()
    assert.deepEqual(
      gateway.got.map(({ notification }) => (notification['content'] as JsonObject)['body']),
      ['one'],
    )
  })

  test('after a long stop is what is still unread, not all that happened', async (t) => {
    const opened = await open({ committed: () => {} })
    t.after(() => opened.close())
    const again: OpenDatabase = async () => ({ ...opened, close: async () => {} })
    const first = await pushStage(again, t, { push: { ...testConfig.push, isEnabled: false } })
    await first.call('POST', 'pushers/set', first.bob, pusher())
    const read = await first.say(first.alice, 'read')
    await first.call('POST', `${first.room}/receipt/m.read/${encodeURIComponent(read)}`, first.bob, {})
    await first.say(first.alice, 'unread')
    await opened.write(async (tx) => {
      for (let taken = 0; taken < 10_001; taken++) tx.takePosition()
    })
    await first.server.close()
    const gateway = standInGateway()
    const second = await testServer(again, {}, { transport: gateway.transport })
    t.after(() => second.close())
    await second.workers.push?.settled()
    assert.deepEqual(
      gateway.got.map(({ notification }) => (notification['content'] as JsonObject)['body']),
      ['unread'],
    )
  })

  test('deletes a pusher that the gateway rejects', async (t) => {
    const { gateway, alice, bob, call, say, settled } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await call('POST', 'pushers/set', bob, pusher({ pushkey: 'other' }))
    gateway.answer(() => ({ status: 200, body: { rejected: ['key', 'of somebody else'] } }))
    await say(alice)
    await settled()
    const { pushers } = (await call('GET', 'pushers', bob)) as { pushers: JsonObject[] }
    assert.deepEqual(
      pushers.map(({ pushkey }) => pushkey),
      ['other'],
    )
  })

  test('is off while a pusher is disabled, by any device of the user', async (t) => {
    const { alice, bob, call, say, pushed } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    await call('POST', 'pushers/set', bob, pusher({ 'org.matrix.msc3881.enabled': false }))
    await say(alice, 'off')
    const { pushers } = (await call('GET', 'pushers', bob)) as { pushers: JsonObject[] }
    assert.equal(pushers[0]?.['org.matrix.msc3881.enabled'], false)
    await pushed()
    await call('POST', 'pushers/set', bob, pusher({ 'org.matrix.msc3881.enabled': true }))
    await say(alice, 'on')
    assert.deepEqual(await pushed(), ['on'])
  })

  test('notifies for calls and polls, and counts notifications', async (t) => {
    const { gateway, alice, bob, call, send, settled } = await pushStage(open, t)
    await call('POST', 'pushers/set', bob, pusher())
    const ring = { 'm.mentions': { room: true } }
    await send(alice, 'org.matrix.msc4075.rtc.notification', ring)
    await settled()
    await send(alice, 'org.matrix.msc4075.rtc.notification', {})
    await send(alice, 'org.matrix.msc3381.poll.start', { question: 'tea?' })
    await settled()
    await send(alice, 'org.matrix.msc3381.poll.response', {})
    await settled()
    const tweaks = gateway.got.map(({ notification }) => (notification['devices'] as JsonObject[])[0]?.['tweaks'])
    assert.deepEqual(tweaks, [{ sound: 'ring' }, { sound: 'default' }])
    const { rooms } = (await call('GET', 'sync', bob)) as { rooms: { join: Record<string, JsonObject> } }
    const [entry] = Object.values(rooms.join)
    assert.deepEqual(entry?.['unread_notifications'], { notification_count: 2, highlight_count: 0 })
  })
})
