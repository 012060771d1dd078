// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { RemoteError } from '@myelin/remote/remote-error'
import { loadStateEvent } from '@myelin/services/room-state/load-auth-state'
import { eventById } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import { eventIdsByNid } from '@myelin/storage/federation/served-events'
import { namedState } from '@myelin/storage/rooms/rooms'
import { heldOf, holdPdus, stagedPdus, stagePdu, unstageRoom } from '@myelin/storage/federation/staged-pdus'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { testNetwork } from '../../network.ts'
import { authorRoom } from '../../room-author.ts'
import { tamperAnswers } from '../../tampered-answers.ts'

const [alice, bob] = ['@alice:one.test', '@bob:two.test'] as const
const HOUR_MS = 3_600_000
const MIN_RETRY_MS = 10_000
const NONE: JsonObject = {}

/** A room with bob of two.test, whose server answers questions by a part of the path as the test says; else it is gone. */
async function stage(open: OpenDatabase) {
  const network = await testNetwork({ servers: 2, open })
  const [home, away] = [network.server('one.test'), network.server('two.test')]
  const room = await authorRoom(home.rt, alice, { preset: 'public_chat' })
  await room.member(bob, bob, 'join')
  await room.send(alice, 'm.room.power_levels', { users: { [bob]: 50 } }, '')
  const theirs = new ForeignAuthor(home, away)
  const answers = new Map<string, JsonObject>()
  const asked: string[] = []
  tamperAnswers(home.rt.remote, async (_, { target }, honest) => {
    if (!target.startsWith('/_matrix/federation')) return honest()
    asked.push(target)
    for (const [part, answer] of answers) if (target.includes(part)) return answer
    throw new RemoteError('unreachable', 'two.test is gone')
  })
  // The auth events of such an event are known, whatever its `prev_events` are.
  const { authEvents } = await theirs.build({ roomId: room.roomId, sender: bob, type: 'm.room.message', content: {} })
  const say = (body: string, prevEvents: readonly EventId[]) =>
    theirs.build({
      roomId: room.roomId,
      sender: bob,
      type: 'm.room.message',
      content: { body },
      prevEvents,
      authEvents,
    })
  const later = async (ms: number) => {
    network.clock.advance(ms)
    await home.workers.inbound.settled()
  }
  const { read } = home.rt.db
  const isShown = async ({ id }: Pdu) => typeof (await eventById(read, id))?.position === 'number'
  const held = async () => (await heldOf(read, away.name, { own: 1_000, all: 1_000 })).own
  return { network, home, away, room, theirs, answers, asked, say, later, isShown, held, read }
}

/** Returns a chain of events that begins at an event of the room; only the last one is sent. */
async function lastWord({ room, theirs, say }: Awaited<ReturnType<typeof stage>>, count: number): Promise<Pdu[]> {
  const built: Pdu[] = []
  let prevEvents = await theirs.extremities(room.roomId)
  const [head] = prevEvents
  for (let number = 0; number < count; number++) {
    const event = await say(`word ${number}`, prevEvents)
    built.push(event)
    prevEvents = [event.id]
  }
  assert.ok(head)
  return built
}

onEveryDatabase('the last word of a server that is gone again', (open) => {
  test('is accepted when its ancestors can be fetched, without any further event', async () => {
    const at = await stage(open)
    const [missing, word] = await lastWord(at, 2)
    assert.ok(missing && word)
    await at.theirs.send([word.json])
    assert.deepEqual([await at.isShown(word), await at.held()], [false, 1])
    await at.later(MIN_RETRY_MS - 1)
    at.answers.set('get_missing_events', { events: [missing.json] })
    assert.equal(await at.isShown(word), false)
    await at.later(1)
    assert.deepEqual([await at.isShown(missing), await at.isShown(word), await at.held()], [true, true, 0])
    await at.network.close()
  })

  test('is waited for less and less often, and some time no more', async () => {
    const at = await stage(open)
    const [, word] = await lastWord(at, 2)
    assert.ok(word)
    await at.theirs.send([word.json])
    const asked = () => at.asked.filter((target) => target.includes('get_missing_events')).length
    let tries = 0
    for (let hours = 0; hours < 24; hours++) {
      const before = asked()
      await at.later(HOUR_MS)
      if (asked() > before) tries++
    }
    assert.deepEqual([tries, await at.held()], [11, 0])
    await at.network.close()
  })

  test('is waited for a short time where that server answers and does not know', async () => {
    const at = await stage(open)
    for (const part of ['get_missing_events', 'state_ids', 'event']) at.answers.set(part, NONE)
    const [, word] = await lastWord(at, 2)
    assert.ok(word)
    await at.theirs.send([word.json])
    let waitedMs = 0
    for (; (await at.held()) > 0; waitedMs += MIN_RETRY_MS) await at.later(MIN_RETRY_MS)
    assert.equal(waitedMs, 70_000)
    await at.network.close()
  })

  test('is kept with so many others at the most, the newest of them', async () => {
    const at = await stage(open)
    const nowhere = `$${'x'.repeat(43)}` as EventId
    const words: Pdu[] = []
    for (let number = 0; number < 510; number++) words.push(await at.say(`${number}`, [nowhere]))
    for (let start = 0; start < words.length; start += 50) {
      await at.theirs.send(words.slice(start, start + 50).map(({ json }) => json))
    }
    assert.equal(await at.held(), 500)
    await at.network.close()
  })

  test('is let go of where all servers together have too many', async () => {
    const at = await stage(open)
    const strangers = { origin: 'strangers.test' as ServerName, roomId: '!elsewhere:one.test' as RoomId, pdu: '{}' }
    const { db, clock } = at.home.rt
    for (let start = 0; start < 10_000; start += 500) {
      await db.write(async (tx) => {
        for (let number = 0; number < 500; number++) await stagePdu(tx, strangers, 0)
        const staged = await stagedPdus(tx, strangers.roomId, clock.now(), 500)
        await holdPdus(
          tx,
          staged.map(({ nid }) => nid),
          clock.now() + HOUR_MS,
          12,
        )
      })
    }
    const [, word] = await lastWord(at, 2)
    assert.ok(word)
    await at.theirs.send([word.json])
    assert.deepEqual([await at.isShown(word), await at.held()], [false, 0])
    await at.network.close()
  })

  test('does not keep those waiting who were never heard', async () => {
    const at = await stage(open)
    const [origin, roomId] = [at.away.name, at.room.roomId]
    const { db, clock } = at.home.rt
    const order = await db.write(async (tx) => {
      await stagePdu(tx, { origin, roomId, pdu: '"tried"' }, 0)
      const [tried] = await stagedPdus(tx, roomId, clock.now(), 10)
      assert.ok(tried)
      await holdPdus(tx, [tried.nid], clock.now(), 12)
      await stagePdu(tx, { origin, roomId, pdu: '"new"' }, 0)
      const all = await stagedPdus(tx, roomId, clock.now(), 10)
      await unstageRoom(tx, roomId)
      return all.map(({ pdu }) => pdu)
    })
    assert.deepEqual(order, ['"new"', '"tried"'])
    await at.network.close()
  })

  test('is not judged by a part of the state it stands on', async () => {
    const at = await stage(open)
    const { room, theirs, answers } = at
    const extremities = await theirs.extremities(room.roomId)
    const draft = { roomId: room.roomId, sender: bob, type: 'm.room.topic', stateKey: '', content: { topic: 'theirs' } }
    const topic = await theirs.build({ ...draft, prevEvents: extremities })
    const edge = await at.say('edge', extremities)
    const word = await at.say('word', [edge.id])
    const row = await roomById(at.read, room.roomId)
    const state = await namedState(at.read, row?.stateRoot ?? 0)
    const ids = await eventIdsByNid(
      at.read,
      state.map(({ event }) => event),
    )
    answers.set('get_missing_events', NONE)
    answers.set('state_ids', { pdu_ids: [...ids, topic.id], auth_chain_ids: [] })
    answers.set(encodeURIComponent(edge.id), { pdus: [edge.json] })
    await theirs.send([word.json])
    assert.equal(await at.isShown(word), false)
    answers.set(encodeURIComponent(topic.id), { pdus: [topic.json] })
    await at.later(MIN_RETRY_MS)
    assert.equal(await at.isShown(word), true)
    const before = (await eventById(at.read, word.id))?.stateBefore ?? 0
    assert.equal((await loadStateEvent(at.read, before, 'm.room.topic'))?.id, topic.id)
    await at.network.close()
  })
})

onEveryDatabase('an event that comes after what follows it', (open) => {
  test('is not unwanted by a state that it is part of', async () => {
    const at = await stage(open)
    const { room, theirs, answers, read } = at
    const dave = '@dave:two.test'
    await room.member(dave, dave, 'join')
    const prevEvents = await theirs.extremities(room.roomId)
    const row = await roomById(read, room.roomId)
    const state = await namedState(read, row?.stateRoot ?? 0)
    const ids = await eventIdsByNid(
      read,
      state.map(({ event }) => event),
    )
    const draft = { roomId: room.roomId, sender: dave, type: 'm.room.member', stateKey: dave, prevEvents }
    const leave = await theirs.build({ ...draft, content: { membership: 'leave' } })
    const word = await at.say('word', [leave.id])
    answers.set('get_missing_events', NONE)
    answers.set('state_ids', { pdu_ids: ids, auth_chain_ids: [] })
    answers.set(encodeURIComponent(leave.id), { pdus: [leave.json] })
    await theirs.send([word.json])
    assert.deepEqual([await at.isShown(word), await at.isShown(leave)], [true, false])
    // By now dave has left, and who has left may not leave.
    await theirs.send([leave.json])
    assert.equal(await at.isShown(leave), true)
    await at.network.close()
  })

  for (const way of ['with news', 'with history'] as const) {
    test(`takes the ends of the room with it that it follows (${way})`, async () => {
      const at = await stage(open)
      const { room, theirs, answers, read } = at
      const row = await roomById(read, room.roomId)
      const state = await namedState(read, row?.stateRoot ?? 0)
      const ids = await eventIdsByNid(
        read,
        state.map(({ event }) => event),
      )
      const first = await at.say('first', await theirs.extremities(room.roomId))
      const second = await at.say('second', [first.id])
      const third = await at.say('third', [second.id])
      answers.set('get_missing_events', NONE)
      answers.set('state_ids', { pdu_ids: ids, auth_chain_ids: [] })
      answers.set(encodeURIComponent(second.id), { pdus: [second.json] })
      await theirs.send([third.json])
      await theirs.send([first.json])
      // That the third follows the first cannot be known yet.
      assert.deepEqual(new Set(await theirs.extremities(room.roomId)), new Set([first.id, third.id]))
      if (way === 'with news') await theirs.send([second.json])
      else {
        answers.set('backfill', { pdus: [second.json] })
        const { token } = await at.home.register('alice')
        const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/messages?dir=b&limit=20`
        assert.equal((await at.home.call('GET', path, { token })).status, 200)
        await at.home.workers.inbound.settled()
      }
      assert.equal(await at.isShown(second), true)
      assert.deepEqual(await theirs.extremities(room.roomId), [third.id])
      const now = await roomById(read, room.roomId)
      assert.deepEqual([now?.extremityCount, now?.isUnsettled], [1, false])
      await at.network.close()
    })
  }
})
