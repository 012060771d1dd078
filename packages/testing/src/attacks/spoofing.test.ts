// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { signJson } from '@myelin/matrix/signatures'
import { eventById } from '@myelin/storage/rooms/events/events'
import { onEveryDatabase } from '../databases.ts'
import { publicForeignRoom } from '../foreign-room.ts'
import type { ForeignRoom } from '../foreign-room.ts'
import { testSigningKey } from '../runtime.ts'
import { keyDocument } from '../fake-servers/honest-answers.ts'
import { head, changedJoinAnswer, join, hostileRoom, signedByUs, templateOf } from './hostile-room.ts'
import { mallory, onStage, witness } from './stage.ts'
import type { Stage } from './stage.ts'
import { always } from './hostile-answers.ts'

// A template is refused before it gets near a database.
describe('CVE-2026-24471: what another server words is not signed', () => {
  const changes: Readonly<Record<string, (stage: Stage, room: ForeignRoom) => JsonObject>> = {
    'of another type': () => ({ type: 'm.room.power_levels' }),
    'of another sender': () => ({ sender: '@admin:one.test' }),
    'of another member': () => ({ state_key: '@admin:one.test' }),
    'without a state key': () => ({ state_key: null }),
    'of another room of ours': ({ room }) => ({ room_id: room.roomId }),
    'of another membership': () => ({ content: { membership: 'leave' } }),
    'that invites': () => ({ content: { membership: 'invite' } }),
    'with a depth that is none': () => ({ depth: -1 }),
    'with prev events that are none': () => ({ prev_events: [7] }),
    'with too many auth events': () => ({ auth_events: Array.from({ length: 11 }, (_, at) => `$${at}`) }),
    'with content that is none': () => ({ content: 'join' }),
  }
  for (const [name, change] of Object.entries(changes)) {
    test(`a template ${name} ends the join`, () =>
      onStage(undefined, '12', async (stage) => {
        const room = hostileRoom(stage)
        stage.evil.answers.set('make_join/', always(templateOf(stage, room, change(stage, room))))
        assert.notEqual((await join(stage, room.roomId)).status, 200)
        assert.deepEqual(signedByUs(stage), [])
      }))
  }

  test('further members of a template are not signed', () =>
    onStage(undefined, '12', async (stage) => {
      const room = hostileRoom(stage)
      const content = { membership: 'join', displayname: 'Owned', 'm.secret': { at: 1 }, third_party_invite: {} }
      const more = {
        redacts: '$x',
        unsigned: { a: 1 },
        origin: 'evil.test',
        origin_server_ts: 5,
        hashes: { sha256: 'x' },
        extra: 7,
      }
      stage.evil.answers.set('make_join/', always(templateOf(stage, room, { content, ...more } as JsonObject)))
      assert.equal((await join(stage, room.roomId)).status, 200)
      const [sent] = signedByUs(stage)
      assert.ok(sent)
      assert.deepEqual(Object.keys(sent).sort(), [
        'auth_events',
        'content',
        'depth',
        'hashes',
        'origin',
        'origin_server_ts',
        'prev_events',
        'room_id',
        'sender',
        'signatures',
        'state_key',
        'type',
      ])
      assert.equal(sent['origin'], stage.home.name)
      assert.deepEqual(
        Object.keys(sent['content'] as object).filter((key) => key !== 'displayname'),
        ['membership'],
      )
      assert.notEqual((sent['content'] as JsonObject)['displayname'], 'Owned')
      assert.equal(sent['origin_server_ts'], stage.home.rt.clock.now())
    }))
})

onEveryDatabase('the answer of a server to a join', (open) => {
  type Twist = (stage: Stage, room: ForeignRoom, event: JsonObject) => JsonObject | string
  const states = (room: ForeignRoom) => [...room.state.values()].map(({ json }) => json)
  const twists: Readonly<Record<string, Twist>> = {
    'has no create event': (_, room, event) =>
      changedJoinAnswer(room, event, { state: states(room).slice(1), auth_chain: [] }),
    'has no state': (_, room, event) => changedJoinAnswer(room, event, { state: [] }),
    'is no answer': () => 'x',
    'is empty': () => ({}),
    'has a state of anything': (_, room, event) =>
      changedJoinAnswer(room, event, { state: [null, 1, 'x', [], {}, { type: 7 }] as Json }),
    'has two events for one key': (_, room, event) => {
      const second = room.build({
        sender: head,
        type: 'm.room.join_rules',
        stateKey: '',
        content: { join_rule: 'public' },
      })
      return changedJoinAnswer(room, event, { state: [...states(room), second.json] })
    },
    'bans us': (_, room, event) => {
      const ban = room.build({
        sender: head,
        type: 'm.room.member',
        stateKey: '@alice:one.test',
        content: { membership: 'ban' },
      })
      return changedJoinAnswer(room, event, { state: [...states(room), ban.json] })
    },
    'has the signatures stripped': (_, room, event) =>
      changedJoinAnswer(room, event, {
        state: states(room).map((json) => ({ ...json, signatures: {} })),
        auth_chain: [],
      }),
    'is of another room': (stage, room, event) =>
      changedJoinAnswer(publicForeignRoom(room.version, head, testSigningKey, stage.home.rt.clock.now() - 77), event),
  }
  for (const [name, twist] of Object.entries(twists)) {
    test(`4.2 C: ends the join where it ${name}, and a later honest one gets in`, () =>
      onStage(open, '12', async (stage) => {
        const room = hostileRoom(stage)
        const honest = stage.evil.answers.get('send_join/')
        stage.evil.answers.set('send_join/', (request) =>
          twist(stage, room, parseJson(String(request.body)) as JsonObject),
        )
        assert.notEqual((await join(stage, room.roomId)).status, 200)
        if (honest) stage.evil.answers.set('send_join/', honest)
        stage.home.rt.clock.advance(1000)
        stage.evil.answers.set('make_join/', always(templateOf(stage, room)))
        const again = await join(stage, room.roomId)
        assert.equal(again.status, 200, JSON.stringify(again.body))
      }))
  }

  test('Continuwuity 0.5.4: events of good servers that it forged are not taken with it', () =>
    onStage(open, '12', async (stage) => {
      const room = hostileRoom(stage)
      const forged = publicForeignRoom(room.version, head, () => testSigningKey('evil.test'), 1)
      const lie = forged.build({ sender: witness, type: 'm.room.topic', stateKey: '', content: { topic: 'I said so' } })
      const inRoom = { ...lie.json, room_id: room.roomId }
      stage.evil.answers.set('send_join/', (request) => {
        const event = parseJson(String(request.body)) as JsonObject
        return changedJoinAnswer(room, event, {
          state: [...states(room), inRoom],
          auth_chain: [...states(room), inRoom],
        })
      })
      assert.equal((await join(stage, room.roomId)).status, 200)
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/state/m.room.topic`
      assert.equal((await stage.home.call('GET', path, { token: stage.alice.token })).status, 404)
    }))

  test('CVE-2018-10657: a depth at the end of numbers in the template leaves the joined room usable', () =>
    onStage(open, '12', async (stage) => {
      const room = hostileRoom(stage)
      stage.evil.answers.set('make_join/', always(templateOf(stage, room, { depth: 2 ** 53 - 1 })))
      assert.equal((await join(stage, room.roomId)).status, 200)
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/send/m.room.message/1`
      const sent = await stage.home.call('PUT', path, {
        token: stage.alice.token,
        body: { msgtype: 'm.text', body: 'hi' },
      })
      assert.equal(sent.status, 200, JSON.stringify(sent.body))
    }))
})

onEveryDatabase('forged origins', (open) => {
  test('CVE-2022-39200: events of get_missing_events without the signature of their server are not accepted', () =>
    onStage(open, '12', async (stage) => {
      const between = await stage.build({ body: 'between' })
      const last = await stage.build({ body: 'last', prevEvents: [between.id], authEvents: between.authEvents })
      const forged = { ...between.json, signatures: { 'evil.test': { [stage.evil.key.id]: 'A'.repeat(86) } } }
      for (const events of [
        [{ ...between.json, signatures: {} }],
        [forged],
        [{ ...between.json, signatures: { 'good.test': {} } }],
      ]) {
        stage.evil.answers.set('get_missing_events/', always({ events: events as Json }))
        await stage.evil.send([last.json])
        assert.equal(await stage.status(between.id), undefined)
        assert.equal(await stage.status(last.id), undefined)
      }
    }))

  test('4.2 C: an event in the name of another server is dropped, with any signature', () =>
    onStage(open, '12', async (stage) => {
      for (const sender of [witness, stage.alice.userId]) {
        const { json } = await stage.build({ body: 'forged' })
        const forged = stage.evil.seal({ ...json, sender }, stage.version)
        const renamed = {
          ...forged.json,
          signatures: { [sender.split(':')[1] ?? '']: (forged.json['signatures'] as JsonObject)['evil.test'] },
        } as JsonObject
        for (const each of [forged.json, renamed]) await stage.evil.send([each])
        assert.equal(await stage.status(forged.id), undefined)
      }
    }))

  test('4.2 C: keys that a server publishes for another are not believed', () =>
    onStage(open, '12', async (stage) => {
      const { rt } = stage.home
      const lie = keyDocument('victim.test', { key: stage.evil.key, validUntilTs: rt.clock.now() + 1_000_000 })
      stage.peers.set('odd.test', () => signJson({ ...lie, server_name: 'victim.test' }, 'odd.test', stage.evil.key))
      const { json } = await stage.build({ body: 'x' })
      for (const server of ['odd.test', 'victim.test']) {
        const event = stage.evil.seal({ ...json, sender: `@x:${server}` }, stage.version)
        const signatures = { [server]: (event.json['signatures'] as JsonObject)['evil.test'] } as JsonObject
        await stage.evil.send([{ ...event.json, signatures }])
        assert.equal(await stage.status(event.id), undefined)
      }
    }))

  test('4.3.12: a request that was meant for another server, or is of another, does nothing here', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({})
      const target = '/_matrix/federation/v1/send/replayed'
      const body: JsonObject = { origin: 'evil.test', origin_server_ts: 1, pdus: [json], edus: [] }
      const good = stage.evil.authorization('PUT', target, body)
      const headers = {
        'another destination': good.replace('destination="one.test"', 'destination="good.test"'),
        'no destination, signed for another': good
          .replace('destination="one.test",', '')
          .replace(/sig="[^"]+"/, `sig="${'A'.repeat(86)}"`),
        'another origin': good.replace('origin="evil.test"', 'origin="good.test"'),
        'our own name': good.replace('origin="evil.test"', 'origin="one.test"'),
        'another key': good.replace(/key="[^"]+"/, 'key="ed25519:other"'),
        'no server name at all': good.replace('origin="evil.test"', 'origin="a b"'),
      }
      for (const [name, authorization] of Object.entries(headers)) {
        const answer = await stage.home.call('PUT', target, { headers: { authorization }, body })
        assert.equal(answer.status, 401, name)
      }
      const elsewhere = await stage.home.call('PUT', `${target}2`, { headers: { authorization: good }, body })
      assert.equal(elsewhere.status, 401)
      const changed = await stage.home.call('PUT', target, {
        headers: { authorization: good },
        body: { ...body, pdus: [] },
      })
      assert.equal(changed.status, 401)
    }))

  test('4.3.12: a transaction under a name that was used does nothing, whatever is in it', () =>
    onStage(open, '12', async (stage) => {
      const [first, second] = [await stage.build({ body: '1' }), await stage.build({ body: '2' })]
      const text = (pdu: Pdu) => JSON.stringify({ origin: 'evil.test', origin_server_ts: 1, pdus: [pdu.json] })
      const one = await stage.evil.sendText(text(first), 'same')
      const two = await stage.evil.sendText(text(second), 'same')
      assert.deepEqual(two.body, one.body)
      assert.equal(await stage.status(second.id), undefined)
      const other = await stage.good.author.build({
        roomId: stage.room.roomId,
        sender: witness,
        type: 'm.room.message',
        content: {},
      })
      await stage.good.sendText(
        JSON.stringify({ origin: 'good.test', origin_server_ts: 1, pdus: [other.json] }),
        'same',
      )
      assert.equal(await stage.status(other.id), 'accepted')
    }))

  test('4.3.2: what an event says unsigned is not kept and not passed on', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({ sender: mallory })
      const unsigned = {
        age: 9e9,
        prev_content: { a: 1 },
        redacted_because: { event_id: '$x' },
        'm.relations': { 'm.replace': {} },
        transaction_id: 't',
      } as JsonObject
      const event = stage.evil.seal({ ...json, unsigned, age_ts: 5 }, stage.version)
      await stage.evil.send([event.json])
      const stored = await eventById(stage.home.rt.db.read, event.id)
      assert.ok(stored && !('unsigned' in stored.pdu.json))
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(stage.room.roomId)}/event/${encodeURIComponent(event.id)}`
      const { body } = await stage.home.call('GET', path, { token: stage.alice.token })
      assert.deepEqual(Object.keys(body['unsigned'] as object).sort(), ['age', 'membership'])
      assert.ok(!canonicalJsonLoose(stored.pdu.json).includes('redacted_because'))
    }))

  test('4.3.8: times of year 1970 and of the far future order nothing', () =>
    onStage(open, '12', async (stage) => {
      const order = []
      for (const origin_server_ts of [0, 1, stage.home.rt.clock.now() + 20 * 3_600_000]) {
        const { json } = await stage.build({ body: `${origin_server_ts}` })
        const event = stage.evil.seal({ ...json, origin_server_ts }, stage.version)
        await stage.evil.send([event.json])
        order.push(event.id as string)
      }
      const last = await stage.room.say(stage.alice.userId, 'last')
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(stage.room.roomId)}/messages?dir=b&limit=4`
      const { body } = await stage.home.call('GET', path, { token: stage.alice.token })
      const seen = (body['chunk'] as { event_id: string }[]).map(({ event_id }) => event_id)
      assert.deepEqual(seen, [last, ...order.toReversed()])
      // No server published a key that is valid in the year 9999.
      const { json } = await stage.build({ body: '9999' })
      const event = stage.evil.seal({ ...json, origin_server_ts: 253_370_764_800_000 }, stage.version)
      await stage.evil.send([event.json])
      assert.equal(await stage.status(event.id), undefined)
    }))

  test('4.3.11: an ACL is met by a server whatever the case or port it writes its name with', () =>
    onStage(open, '12', async (stage) => {
      await stage.room.send(stage.alice.userId, 'm.room.server_acl', { allow: ['*'], deny: ['EVIL.test'] }, '')
      const event = await stage.build({})
      const answer = await stage.evil.send([event.json])
      assert.match(JSON.stringify(answer.body), /server ACL of the room denies/)
      assert.equal(await stage.status(event.id), undefined)
    }))

  test('CVE-2023-42453: receipts, typing, presence, devices and messages of another server’s users are ignored', () =>
    onStage(open, '12', async (stage) => {
      const { alice, room, home } = stage
      const sync = async () =>
        (await home.call('GET', '/_matrix/client/v3/sync?full_state=true', { token: alice.token })).body
      const [latest] = await stage.evil.author.extremities(room.roomId)
      const victims = [alice.userId, witness]
      const edus = victims.flatMap((user) => [
        { edu_type: 'm.typing', content: { room_id: room.roomId, user_id: user, typing: true } },
        {
          edu_type: 'm.receipt',
          content: { [room.roomId]: { 'm.read': { [user]: { data: { ts: 1 }, event_ids: [latest] } } } },
        },
        { edu_type: 'm.presence', content: { push: [{ user_id: user, presence: 'online', status_msg: 'forged' }] } },
        {
          edu_type: 'm.direct_to_device',
          content: {
            sender: user,
            type: 'm.forged',
            message_id: user,
            messages: { [alice.userId]: { '*': { a: 'forged' } } },
          },
        },
        {
          edu_type: 'm.device_list_update',
          content: { user_id: user, device_id: 'FORGED', stream_id: 1, deleted: false },
        },
        {
          edu_type: 'm.signing_key_update',
          content: { user_id: user, master_key: { user_id: user, usage: ['master'], keys: {} } },
        },
      ]) as JsonObject[]
      assert.equal((await stage.evil.send([], edus)).status, 200)
      const seen = JSON.stringify(await sync())
      assert.ok(!seen.includes('forged') && !seen.includes('FORGED'))
      assert.ok(!seen.includes('"m.typing"') || !victims.some((user) => seen.includes(`"user_ids":["${user}"`)))
      assert.ok(!seen.includes('"m.receipt"'))
    }))
})
