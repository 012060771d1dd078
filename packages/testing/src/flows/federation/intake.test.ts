// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { checkDatabase } from '@myelin/services/check-database'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { EVENT_STATUS, eventById, eventsById } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import { eventFilterOf } from '@myelin/services/room-state/event-filter'
import { readMessages } from '@myelin/services/reading/messages'
import { loadStateEvent } from '@myelin/services/room-state/load-auth-state'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { testNetwork } from '../../network.ts'
import { authorRoom } from '../../room-author.ts'
import type { RoomAuthor } from '../../room-author.ts'
import type { TestServer } from '../../server.ts'

const [alice, bob, carol] = ['@alice:one.test', '@bob:two.test', '@carol:two.test'] as const

type Stage = {
  readonly home: TestServer
  readonly room: RoomAuthor
  readonly theirs: ForeignAuthor
  readonly status: (id: EventId) => Promise<number | undefined>
  readonly stateOf: (type: string, key?: string) => Promise<string | undefined>
  readonly close: () => Promise<void>
}

/** A room of alice in which bob of another server has joined and may change state; carol may not. */
async function stage(open: OpenDatabase, roomVersion = '12'): Promise<Stage> {
  const network = await testNetwork({ servers: 2, open })
  const [home, away] = [network.server('one.test'), network.server('two.test')]
  const room = await authorRoom(home.rt, alice, { roomVersion, preset: 'public_chat' })
  await room.member(bob, bob, 'join')
  await room.member(carol, carol, 'join')
  const users = roomVersion === '12' ? { [bob]: 50 } : { [alice]: 100, [bob]: 50 }
  await room.send(alice, 'm.room.power_levels', { users }, '')
  const db = home.rt.db.read
  return {
    home,
    room,
    theirs: new ForeignAuthor(home, away),
    status: async (id) => (await eventById(db, id))?.status,
    stateOf: async (type, key = '') => {
      const row = await roomById(db, room.roomId)
      return (await loadStateEvent(db, row?.stateRoot ?? 0, type, key))?.id
    },
    // In every case the database is consistent.
    close: async () => {
      for await (const { what, name, fault } of checkDatabase(db)) assert.fail(`${what} ${name}: ${fault}`)
      await network.close()
    },
  }
}

const said = (roomId: RoomId, sender: string, body: string) => ({
  roomId,
  sender,
  type: 'm.room.message',
  content: { msgtype: 'm.text', body },
})
const topic = (roomId: RoomId, sender: string, text: string, prevEvents?: readonly EventId[]) => ({
  roomId,
  sender,
  type: 'm.room.topic',
  stateKey: '',
  content: { topic: text },
  ...(prevEvents ? { prevEvents } : {}),
})

onEveryDatabase('events from other servers', (open) => {
  for (const roomVersion of ['1', '2', '3', '5', '6', '8', '10', '11', '12']) {
    test(`is appended where the rules of version ${roomVersion} allow it, and our next event follows it`, async () => {
      const { room, theirs, home, status, stateOf, close } = await stage(open, roomVersion)
      const message = await theirs.sendEvent(said(room.roomId, bob, 'hello'))
      const named = await theirs.sendEvent(topic(room.roomId, bob, 'ours'))
      assert.equal(await status(message.id), EVENT_STATUS.accepted)
      assert.equal(await stateOf('m.room.topic'), named.id)
      const ours = await eventById(home.rt.db.read, await room.say(alice, 'welcome'))
      assert.deepEqual(ours?.pdu.prevEvents, [named.id])
      await close()
    })
  }

  test('is rejected where the sender may not, and later events go on as if it were not there', async () => {
    const { room, theirs, status, stateOf, close } = await stage(open)
    const before = await stateOf('m.room.topic')
    const refused = await theirs.sendEvent(topic(room.roomId, carol, 'mine'))
    const next = await theirs.sendEvent({ ...said(room.roomId, carol, 'then not'), prevEvents: [refused.id] })
    assert.equal(await status(refused.id), EVENT_STATUS.rejected)
    assert.equal(await status(next.id), EVENT_STATUS.accepted)
    assert.equal(await stateOf('m.room.topic'), before)
    assert.deepEqual(await theirs.extremities(room.roomId), [next.id])
    await close()
  })

  test('is rejected when an auth event of it was rejected', async () => {
    const { room, theirs, status, stateOf, close } = await stage(open)
    const levels = { users: { [bob]: 50, [carol]: 100 } }
    const raised = await theirs.sendEvent({
      roomId: room.roomId,
      sender: carol,
      type: 'm.room.power_levels',
      stateKey: '',
      content: levels,
    })
    const member = await stateOf('m.room.member', carol)
    const used = await theirs.sendEvent({
      ...topic(room.roomId, carol, 'mine'),
      authEvents: [raised.id, member as EventId],
    })
    assert.deepEqual([await status(raised.id), await status(used.id)], [EVENT_STATUS.rejected, EVENT_STATUS.rejected])
    await close()
  })

  test('is soft-failed when it goes around what was decided since, and never becomes a head', async () => {
    const { room, theirs, home, status, close } = await stage(open)
    const [before] = await theirs.extremities(room.roomId)
    assert.ok(before)
    const ban = await room.member(alice, carol, 'ban')
    const late = await theirs.sendEvent({ ...said(room.roomId, carol, 'one more'), prevEvents: [before] })
    assert.equal(await status(late.id), EVENT_STATUS.softFailed)
    assert.deepEqual(await theirs.extremities(room.roomId), [ban])
    const shown = await eventById(home.rt.db.read, late.id)
    assert.equal(shown?.position, null)
    await close()
  })

  test('forks the room where it continues an older event, and the ban wins over what the banned did meanwhile', async () => {
    const { room, theirs, home, stateOf, close } = await stage(open)
    const [before] = await theirs.extremities(room.roomId)
    assert.ok(before)
    const first = await theirs.sendEvent(topic(room.roomId, bob, 'theirs', [before]))
    const second = await theirs.sendEvent({ ...said(room.roomId, carol, 'meanwhile'), prevEvents: [before] })
    assert.deepEqual(new Set(await theirs.extremities(room.roomId)), new Set([first.id, second.id]))
    assert.equal(await stateOf('m.room.topic'), first.id)
    const merged = await eventById(home.rt.db.read, await room.say(alice, 'together'))
    assert.deepEqual(new Set(merged?.pdu.prevEvents), new Set([first.id, second.id]))
    assert.equal((await theirs.extremities(room.roomId)).length, 1)
    await close()
  })

  test('comes to the same state in whatever order branches arrive', async () => {
    const results = new Set<string>()
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const { room, theirs, home, stateOf, close } = await stage(open)
      const [before] = await theirs.extremities(room.roomId)
      assert.ok(before)
      const branches = [
        await theirs.build(topic(room.roomId, bob, 'first', [before])),
        await theirs.build({
          roomId: room.roomId,
          sender: bob,
          type: 'm.room.member',
          stateKey: carol,
          content: { membership: 'leave' },
          prevEvents: [before],
        }),
        await theirs.build({
          roomId: room.roomId,
          sender: carol,
          type: 'm.room.member',
          stateKey: carol,
          content: { membership: 'join', displayname: 'Carol' },
          prevEvents: [before],
        }),
      ]
      for (const index of order) await theirs.send([branches[index]?.json ?? {}])
      const names = new Map(branches.map(({ id }, index) => [id as string, index]))
      const state = [await stateOf('m.room.topic'), await stateOf('m.room.member', carol)]
      const standing = await membershipIn(home.rt.db.read, room.roomId, carol as UserId)
      results.add(JSON.stringify([state.map((id) => names.get(id ?? '')), standing?.membership]))
      await close()
    }
    // The kick counts first, as it takes power; after it the room is as public as before.
    assert.deepEqual([...results], [JSON.stringify([[0, 2], 'join'])])
  })

  test('waits for what it continues: events that arrive the wrong way round are put in order', async () => {
    const { room, theirs, status, close } = await stage(open)
    const first = await theirs.build(said(room.roomId, bob, 'first'))
    const needs = { authEvents: first.authEvents }
    const second = await theirs.build({ ...said(room.roomId, bob, 'second'), ...needs, prevEvents: [first.id] })
    const third = await theirs.build({ ...said(room.roomId, bob, 'third'), ...needs, prevEvents: [second.id] })
    await theirs.send([third.json, second.json, first.json])
    for (const { id } of [first, second, third]) assert.equal(await status(id), EVENT_STATUS.accepted)
    assert.deepEqual(await theirs.extremities(room.roomId), [third.id])
    await close()
  })

  test('is dropped without the signature of its server, and taken redacted where the content was changed', async () => {
    const { room, theirs, home, status, close } = await stage(open)
    const forged = await theirs.build(said(room.roomId, alice, 'I am not alice'))
    const changed = await theirs.build(said(room.roomId, bob, 'before'))
    const json = { ...changed.json, content: { msgtype: 'm.text', body: 'after' } }
    await theirs.send([forged.json, json])
    assert.equal(await status(forged.id), undefined)
    const taken = await eventById(home.rt.db.read, changed.id)
    assert.deepEqual(taken?.pdu.content, {})
    await close()
  })

  test('fails alone: the rest of a transaction lands', async () => {
    const { room, theirs, status, close } = await stage(open)
    const good = await theirs.build(said(room.roomId, bob, 'good'))
    const odd = { ...good.json, depth: 'deep' }
    const foreign = { ...good.json, room_id: '!elsewhere:two.test', event_id: '$x:two.test' }
    const answer = await theirs.send([odd, foreign, { nonsense: true }, good.json])
    assert.equal(await status(good.id), EVENT_STATUS.accepted)
    assert.deepEqual(answer, { pdus: { '$x:two.test': { error: 'this server is not in the room' }, [good.id]: {} } })
    await close()
  })

  test('keeps the heads of a room few, with an event that no client is shown', async () => {
    const { room, theirs, home, stateOf, close } = await stage(open)
    const [before] = await theirs.extremities(room.roomId)
    assert.ok(before)
    const branches = []
    for (let index = 0; index < 25; index++) {
      branches.push(await theirs.build({ ...said(room.roomId, bob, `branch ${index}`), prevEvents: [before] }))
    }
    await theirs.send(branches.map(({ json }) => json))
    const extremities = await theirs.extremities(room.roomId)
    assert.equal(extremities.length, 6)
    const merging = (await eventsById(home.rt.db.read, extremities)).find(
      ({ pdu }) => pdu.type === 'org.matrix.dummy_event',
    )
    assert.equal(merging?.pdu.prevEvents.length, 20)
    assert.ok(await stateOf('m.room.create'))
    const page = await readMessages(
      home.rt,
      { userId: alice as UserId, deviceId: 'd', isAdmin: false, isGuest: false },
      { roomId: room.roomId, direction: 'backward', limit: 100, filter: eventFilterOf(undefined) },
    )
    const text = encodeJson(page)
    assert.ok(text.includes('branch 24') && !text.includes('org.matrix.dummy_event'))
    await close()
  })

  test('takes the redaction of an event that is not there yet into account when it comes', async () => {
    const { room, theirs, home, close } = await stage(open)
    const [before] = await theirs.extremities(room.roomId)
    assert.ok(before)
    const message = await theirs.build(said(room.roomId, bob, 'oops'))
    await theirs.sendEvent({
      roomId: room.roomId,
      sender: bob,
      type: 'm.room.redaction',
      content: { redacts: message.id },
      prevEvents: [before],
    })
    await theirs.send([message.json])
    const stored = await eventById(home.rt.db.read, message.id)
    assert.notEqual(stored?.redactedBy, null)
    await close()
  })
})
