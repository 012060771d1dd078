// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { backfillGap, timelineGaps } from '@myelin/services/rooms/intake/backfill'

import { eventById } from '@myelin/storage/rooms/events/events'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import { levels, topic } from './drafts.ts'
import { bob, mallory, onStage } from './stage.ts'
import type { Stage } from './stage.ts'
import { always, stateNow, answerWith } from './hostile-answers.ts'

onEveryDatabase('hostile events of good form', (open) => {
  test('Synapse 1.7.1: an event authorized by events of another room is rejected', () =>
    onStage(open, '11', async (stage) => {
      const other = await authorRoom(stage.home.rt, stage.alice.userId, { roomVersion: '11', preset: 'public_chat' })
      await other.member(mallory, mallory, 'join')
      const power = await other.send(
        stage.alice.userId,
        'm.room.power_levels',
        { users: { [stage.alice.userId]: 100, [mallory]: 100 } },
        '',
      )
      const honest = await stage.build({ ...topic })
      const authEvents = await Promise.all(
        honest.authEvents.map(async (id) =>
          (await eventById(stage.home.rt.db.read, id))?.pdu.type === 'm.room.power_levels' ? power : id,
        ),
      )
      const event = await stage.build({ ...topic, authEvents })
      await stage.evil.send([event.json])
      assert.equal(await stage.status(event.id), 'rejected')
    }))

  test('4.2 B: an event that continues one of another room is not taken into this one', () =>
    onStage(open, '12', async (stage) => {
      const other = await authorRoom(stage.home.rt, stage.alice.userId, { preset: 'public_chat' })
      const elsewhere = await other.member(mallory, mallory, 'join')
      for (const prevEvents of [
        [elsewhere],
        [elsewhere, ...(await stage.evil.author.extremities(stage.room.roomId))],
      ]) {
        const event = await stage.build({ prevEvents, authEvents: (await stage.build({})).authEvents })
        await stage.evil.send([event.json])
        assert.notEqual(await stage.status(event.id), 'accepted')
      }
      const before = await stage.evil.author.extremities(other.roomId)
      assert.ok(before.length === 1)
    }))

  test('4.2 B: a redaction of an event of another room redacts nothing', () =>
    onStage(open, '11', async (stage) => {
      const other = await authorRoom(stage.home.rt, stage.alice.userId, { roomVersion: '11', preset: 'public_chat' })
      const target = await other.say(stage.alice.userId, 'of another room')
      const event = await stage.build({ type: 'm.room.redaction', sender: bob, content: { redacts: target } })
      await stage.evil.send([event.json])
      assert.equal((await eventById(stage.home.rt.db.read, target))?.redactedBy, null)
    }))

  for (const roomVersion of ['1', '3', '11']) {
    test(`Synapse 1.2.1: redacting the create event leaves a room of version ${roomVersion} what it is`, () =>
      onStage(open, roomVersion, async (stage) => {
        const create = await stage.stateOf('m.room.create')
        assert.ok(create)
        const { json } = await stage.build({ type: 'm.room.redaction', sender: bob, content: { redacts: create } })
        const own = stage.version.eventIds === 'chosen by server' ? { event_id: '$r:evil.test' } : {}
        const event = stage.evil.seal({ ...json, redacts: create, ...own }, stage.version)
        await stage.evil.send([event.json])
        const answer = await stage.home.call(
          'GET',
          `/_matrix/client/v3/rooms/${encodeURIComponent(stage.room.roomId)}/state/m.room.create`,
          { token: stage.alice.token },
        )
        assert.equal(answer.body['room_version'], roomVersion)
      }))
  }

  test('Synapse 1.2.1: a redaction of messages of other servers takes the power to redact', () =>
    onStage(open, '1', async (stage) => {
      const target = await stage.room.say(stage.alice.userId, 'mine')
      const { json } = await stage.build({ type: 'm.room.redaction', sender: mallory, content: {} })
      const event = stage.evil.seal({ ...json, redacts: target, event_id: '$r:evil.test' }, stage.version)
      await stage.evil.send([event.json])
      assert.equal((await eventById(stage.home.rt.db.read, target))?.redactedBy, null)
    }))

  test('Synapse 1.2.1: redactions that redact each other end', () =>
    onStage(open, '1', async (stage) => {
      const redaction = async (id: string, redacts: string) => {
        const { json } = await stage.build({ type: 'm.room.redaction', sender: bob, content: {} })
        return stage.evil.seal({ ...json, event_id: id, redacts }, stage.version).json
      }
      const ring = [
        ['$a:evil.test', '$b:evil.test'],
        ['$b:evil.test', '$c:evil.test'],
        ['$c:evil.test', '$a:evil.test'],
        ['$d:evil.test', '$d:evil.test'],
      ] as const
      await stage.evil.send(await Promise.all(ring.map(([id, redacts]) => redaction(id, redacts))))
      for (const [id] of ring) assert.equal(await stage.status(id as EventId), 'accepted')
    }))

  for (const roomVersion of ['1', '6', '12']) {
    test(`CVE-2025-54315: a second create event in a room of version ${roomVersion} is rejected`, () =>
      onStage(open, roomVersion, async (stage) => {
        const create = await stage.stateOf('m.room.create')
        const { json } = await stage.build({
          type: 'm.room.create',
          sender: bob,
          stateKey: '',
          content: { creator: bob, room_version: '1' },
        })
        const own = stage.version.eventIds === 'chosen by server' ? { event_id: '$create:evil.test' } : {}
        const extremities = await stage.evil.author.extremities(stage.room.roomId)
        for (const change of [{}, { prev_events: [], auth_events: [] }, { state_key: 'other' }]) {
          const event = stage.evil.seal({ ...json, ...own, ...change }, stage.version)
          await stage.evil.send([event.json])
          const became = await stage.status(event.id)
          assert.ok(became !== 'accepted' || 'state_key' in change, `${became}`)
        }
        assert.equal(await stage.stateOf('m.room.create'), create)
        assert.ok(extremities.length > 0)
      }))
  }

  test('Synapse 1.15.2: a state at an unknown event that holds next to nothing does not reset the room', () =>
    onStage(open, '12', async (stage) => {
      const ban = await stage.room.member(stage.alice.userId, '@troll:evil.test', 'ban')
      const before = await stage.stateOf('m.room.power_levels')
      const create = (await eventById(stage.home.rt.db.read, (await stage.stateOf('m.room.create')) as EventId))
        ?.pdu as Pdu
      const hidden = await stage.build({ body: 'hidden' })
      const event = await stage.build({ prevEvents: [hidden.id], authEvents: hidden.authEvents })
      answerWith(stage, [create], [hidden])
      stage.evil.answers.set('state_ids/', always({ pdu_ids: [create.id], auth_chain_ids: [] }))
      await stage.evil.send([event.json])
      assert.equal(await stage.stateOf('m.room.power_levels'), before)
      assert.equal(await stage.stateOf('m.room.member', '@troll:evil.test'), ban)
    }))

  test('4.3.6: a state that omits a ban does not lift it', () =>
    onStage(open, '12', async (stage) => {
      const hidden = await stage.build({ body: 'before the ban' })
      const state = await stateNow(stage)
      const ban = await stage.room.member(stage.alice.userId, mallory, 'ban')
      const event = await stage.build({ prevEvents: [hidden.id], authEvents: hidden.authEvents })
      answerWith(stage, state, [hidden])
      stage.evil.answers.set('state_ids/', always({ pdu_ids: state.map(({ id }) => id), auth_chain_ids: [] }))
      await stage.evil.send([event.json])
      assert.notEqual(await stage.status(event.id), 'accepted')
      assert.equal(await stage.stateOf('m.room.member', mallory), ban)
      const [head] = await stage.evil.author.extremities(stage.room.roomId)
      assert.equal(head, ban)
    }))

  test('CVE-2022-39374: a rejected event stays rejected by whatever way it comes again', () =>
    onStage(open, '12', async (stage) => {
      const rejected = await stage.build(levels())
      await stage.evil.send([rejected.json])
      assert.equal(await stage.status(rejected.id), 'rejected')
      const before = await stage.stateOf('m.room.power_levels')
      const state = [...(await stateNow(stage)).filter(({ type }) => type !== 'm.room.power_levels'), rejected]
      const hidden = await stage.build({
        body: 'hidden',
        prevEvents: [rejected.id],
        authEvents: (await stage.build({})).authEvents,
      })
      answerWith(stage, state, [hidden])
      const { answers } = stage.evil
      answers.set('state_ids/', always({ pdu_ids: state.map(({ id }) => id), auth_chain_ids: [rejected.id] }))
      answers.set('state/', always({ pdus: state.map(({ json }) => json), auth_chain: [rejected.json] }))
      answers.set('event_auth/', always({ auth_chain: [rejected.json] }))
      answers.set('get_missing_events/', always({ events: [rejected.json, hidden.json] }))
      answers.set('backfill/', always({ pdus: [rejected.json, hidden.json] }))
      const used = await stage.build({
        ...topic,
        authEvents: [rejected.id, (await stage.stateOf('m.room.member', mallory)) as EventId],
        prevEvents: [hidden.id],
      })
      await stage.evil.send([rejected.json])
      await stage.evil.send([rejected.json, used.json])
      const plain = await stage.build({ prevEvents: [hidden.id], authEvents: hidden.authEvents })
      await stage.evil.send([plain.json])
      assert.equal(await stage.status(rejected.id), 'rejected')
      assert.notEqual(await stage.status(used.id), 'accepted')
      assert.equal(await stage.stateOf('m.room.power_levels'), before)
      for (const { id } of await stateNow(stage)) assert.notEqual(id, rejected.id)
    }))

  test('4.2 B: a soft-failed event stays out of sight by whatever way it comes again', () =>
    onStage(open, '12', async (stage) => {
      const late = await stage.build({ body: 'too late' })
      await stage.room.member(stage.alice.userId, mallory, 'ban')
      await stage.evil.send([late.json])
      assert.equal(await stage.status(late.id), 'softFailed')
      const after = await stage.build({ sender: bob, body: 'builds on it', prevEvents: [late.id] })
      stage.evil.answers.set('get_missing_events/', always({ events: [late.json] }))
      stage.evil.answers.set('backfill/', always({ pdus: [late.json] }))
      answerWith(stage, await stateNow(stage), [late])
      await stage.evil.send([late.json, after.json])
      const hidden = await stage.build({ sender: bob, prevEvents: [late.id], body: 'unknown' })
      const next = await stage.build({ sender: bob, prevEvents: [hidden.id], authEvents: hidden.authEvents })
      stage.evil.answers.set('get_missing_events/', always({ events: [late.json, hidden.json] }))
      await stage.evil.send([next.json])
      assert.equal((await eventById(stage.home.rt.db.read, late.id))?.position, null)
      assert.equal(await stage.status(after.id), 'accepted')
      assert.equal(await stage.status(late.id), 'softFailed')
    }))

  test('4.3.9: continuing from before a ban does not get around it, however long the branch', () =>
    onStage(open, '12', async (stage) => {
      const extremities = await stage.evil.author.extremities(stage.room.roomId)
      const first = await stage.build({ prevEvents: extremities, body: '0' })
      const ban = await stage.room.member(stage.alice.userId, mallory, 'ban')
      const chain = [first]
      for (let at = 1; at < 30; at++) {
        const previous = chain.at(-1)?.id as EventId
        chain.push(await stage.build({ prevEvents: [previous], authEvents: first.authEvents, body: `${at}` }))
      }
      await stage.evil.send(chain.map(({ json }) => json))
      for (const { id } of chain) assert.equal(await stage.status(id), 'softFailed')
      assert.deepEqual(await stage.evil.author.extremities(stage.room.roomId), [ban])
    }))

  test("4.2 B: withholding an auth event does not cause the rejection of another user's event", () =>
    onStage(open, '12', async (stage) => {
      const power = await stage.good.author.build({
        roomId: stage.room.roomId,
        sender: '@witness:good.test',
        type: 'm.room.member',
        stateKey: '@witness:good.test',
        content: { membership: 'join', displayname: 'W' },
      })
      const draft = {
        roomId: stage.room.roomId,
        sender: '@witness:good.test',
        type: 'm.room.message',
        content: { body: 'honest', msgtype: 'm.text' },
        prevEvents: [power.id],
      }
      const honest = await stage.good.author.build({ ...draft, authEvents: await withMember(stage, power.id) })
      // The hostile server has both, and sends us the second one only; it answers nothing of the first.
      await stage.evil.send([honest.json])
      const hidden = await stage.build({ body: 'hidden' })
      answerWith(stage, [], [hidden])
      stage.evil.answers.set('state_ids/', always({ pdu_ids: [honest.id], auth_chain_ids: [honest.id] }))
      stage.evil.answers.set('event_auth/', always({ auth_chain: [honest.json] }))
      stage.evil.answers.set('event/', ({ target }) => ({
        pdus: [target.includes(encodeURIComponent(honest.id)) ? honest.json : hidden.json],
      }))
      await stage.evil.send([(await stage.build({ prevEvents: [hidden.id], authEvents: hidden.authEvents })).json])
      await stage.good.send([power.json, honest.json])
      assert.equal(await stage.status(power.id), 'accepted')
      assert.equal(await stage.status(honest.id), 'accepted')
    }))

  test('4.2 B: history that does not lead to where it was asked for is not put into the room', () =>
    onStage(open, '12', async (stage) => {
      const hidden = await stage.build({ body: 'hidden' })
      const event = await stage.build({ prevEvents: [hidden.id], authEvents: hidden.authEvents })
      const state = await stateNow(stage)
      answerWith(stage, state, [hidden])
      stage.evil.answers.set('state_ids/', always({ pdu_ids: state.map(({ id }) => id), auth_chain_ids: [] }))
      await stage.evil.send([event.json])
      assert.equal(await stage.status(event.id), 'accepted')
      const unrelated = await stage.build({
        body: 'never happened',
        prevEvents: [stage.room.roomId.replace('!', '$') as EventId],
      })
      const forged = await stage.build({ sender: '@alice:one.test', body: 'alice says', prevEvents: hidden.prevEvents })
      stage.evil.answers.set('backfill/', always({ pdus: [unrelated.json, forged.json, hidden.json] }))
      const [gap] = await timelineGaps(stage.home.rt, stage.room.roomId, 0, Number.MAX_SAFE_INTEGER)
      assert.ok(gap)
      await backfillGap(stage.home.rt, stage.room.roomId, gap)
      for (const { id } of [unrelated, forged]) assert.equal(await stage.status(id), undefined)
      assert.notEqual((await eventById(stage.home.rt.db.read, hidden.id))?.position, null)
    }))
})

/** The auth events of a message of the witness, with another event for its membership. */
async function withMember(stage: Stage, memberEvent: EventId): Promise<EventId[]> {
  const usual = await stage.good.author.build({
    roomId: stage.room.roomId,
    sender: '@witness:good.test',
    type: 'm.room.message',
    content: {},
  })
  const current = await stage.stateOf('m.room.member', '@witness:good.test')
  return usual.authEvents.map((id) => (id === current ? memberEvent : id))
}
