// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import fc from 'fast-check'
import { onEveryDatabase } from '../databases.ts'
import { bob, mallory, onStage } from './stage.ts'
import type { Stage } from './stage.ts'

/** An event that differs from a good one, sealed by its server. */
async function changed(stage: Stage, change: JsonObject, without: readonly string[] = []) {
  const { json } = await stage.build({ body: JSON.stringify(change).slice(0, 200) })
  const left = Object.fromEntries(Object.entries(json).filter(([key]) => !without.includes(key))) as JsonObject
  const own = stage.version.eventIds === 'chosen by server' ? { event_id: `$${++serial}:evil.test` } : {}
  return stage.evil.seal({ ...left, ...own, ...change }, stage.version)
}
let serial = 0

/** Sends a bad event between two good ones, and wants the good ones in. */
async function sendBetweenGood(stage: Stage, bad: JsonObject): Promise<void> {
  const first = await stage.build({ body: 'first' })
  const last = await stage.build({ body: 'last', sender: bob })
  await stage.evil.send([first.json, bad, last.json])
  for (const { id } of [first, last]) assert.equal(await stage.status(id), 'accepted', JSON.stringify(bad))
}

const nested = (levels: number): Json => {
  let value: Json = 0
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

onEveryDatabase('malformed events', (open) => {
  const depths = { '5': [2 ** 53 - 1, 2 ** 53, 9_223_372_036_854_775_000], '12': [2 ** 53 - 1] }
  for (const [roomVersion, values] of Object.entries(depths)) {
    for (const depth of values) {
      test(`CVE-2018-10657: a depth of ${depth} leaves a room of version ${roomVersion} usable`, () =>
        onStage(open, roomVersion, async (stage) => {
          const event = await changed(stage, { depth })
          await stage.evil.send([event.json])
          assert.equal(await stage.status(event.id), 'accepted')
        }))
    }
  }

  test('CVE-2025-30355: an event with integers beyond 2^53 is refused alone, wherever they stand', () =>
    onStage(open, '12', async (stage) => {
      for (const change of [
        { depth: 2 ** 53 },
        { depth: -(2 ** 53) },
        { origin_server_ts: 2 ** 53 },
        { content: { body: 'x', deep: [{ at: 2 ** 60 }] } },
        { unknown: 2 ** 53 },
      ]) {
        const event = await changed(stage, change)
        await sendBetweenGood(stage, event.json)
        assert.equal(await stage.status(event.id), undefined)
      }
    }))

  test('synapse#7543: odd numbers in a room of version 5 stay as they were spelled, all the way out', () =>
    onStage(open, '5', async (stage) => {
      const { json } = await stage.build({})
      const content = '{"body":"n","list":[1.0,-0,1e10,1.5,123456789012345678901234567890]}'
      const text = JSON.stringify({ ...json, content: '@' }).replace('"@"', content)
      await stage.evil.sendText(`{"origin":"evil.test","origin_server_ts":1,"pdus":[${text}]}`)
    }))

  test('4.3.1: what is no canonical JSON is refused as a whole request, and the next one is taken', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({})
      const good = JSON.stringify(json)
      const inContent = (text: string) => good.replace('"content":{', `"content":{${text},`)
      for (const text of [
        inContent('"a":NaN'),
        inContent('"a":1,"a":2'),
        inContent('"appl\\u0065":1,"apple":2'),
        inContent('"a":"\\ud800"'),
        inContent('"\\udfff":1'),
        inContent(`"a":${'['.repeat(100_000)}${']'.repeat(100_000)}`),
        good.slice(0, -1),
      ]) {
        const whole = `{"origin":"evil.test","origin_server_ts":1,"pdus":[${text}]}`
        const answer = await stage.evil.sendText(whole)
        assert.equal(answer.status, 400, text.slice(0, 300))
      }
      for (const number of ['1e400', '1.0', '-0', '1E2', '9007199254740992']) {
        await stage.evil.sendText(
          `{"origin":"evil.test","origin_server_ts":1,"pdus":[${inContent(`"a":${number}`)},${good}]}`,
        )
      }
      const taken = await stage.home.call(
        'GET',
        `/_matrix/client/v3/rooms/${encodeURIComponent(stage.room.roomId)}/messages?dir=b&limit=1`,
        { token: stage.alice.token },
      )
      assert.deepEqual((taken.body as { chunk: { content: object }[] }).chunk[0]?.content, json['content'])
    }))

  for (const roomVersion of ['1', '5', '6', '12']) {
    test(`4.2 A: whatever one field of an event of version ${roomVersion} is, only that event is refused`, () =>
      onStage(open, roomVersion, async (stage) => {
        const { json } = await stage.build({})
        const odd: readonly Json[] = [
          null,
          true,
          -1,
          0,
          1e10,
          2 ** 53 - 1,
          '',
          '\u0000',
          '@',
          'x'.repeat(256),
          'é'.repeat(200),
          [],
          [[]],
          [null],
          {},
          { rawJSON: '1' },
          nested(150),
        ]
        for (const key of [...Object.keys(json), 'state_key', 'redacts', '__proto__', 'constructor', 'unsigned']) {
          if (key === 'signatures' || key === 'hashes') continue
          const bad = [
            await changed(stage, {}, [key]),
            ...(await Promise.all(
              odd.map((value) =>
                changed(stage, JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(value)}}`) as JsonObject),
              ),
            )),
          ]
          const first = await stage.build({ body: key })
          const answer = await stage.evil.send([first.json, ...bad.map((each) => each.json)])
          assert.equal(answer.status, 200)
          assert.equal(await stage.status(first.id), 'accepted', key)
        }
      }))
  }

  test('4.2 A: hashes and signatures of any form fail their event alone', () =>
    onStage(open, '12', async (stage) => {
      for (const key of ['signatures', 'hashes']) {
        for (const value of [
          null,
          1,
          [],
          {},
          { 'evil.test': null },
          { 'evil.test': { a: 1 } },
          { sha256: 1 },
          { sha256: '' },
        ]) {
          const { json } = await stage.build({})
          await sendBetweenGood(stage, { ...json, [key]: value as Json })
        }
      }
    }))

  test('4.3.15: sizes are counted in bytes: 65,536 for an event, 255 for type, state key and sender', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({})
      const size = Buffer.byteLength(JSON.stringify({ ...json, content: { body: '' } }))
      const fits = await changed(stage, { content: { body: 'x'.repeat(65_536 - size) } })
      const tooLarge = await changed(stage, { content: { body: 'x'.repeat(65_537 - size) } })
      const wide = await changed(stage, { content: { body: 'é'.repeat((65_536 - size) / 2 + 1) } })
      const longType = await changed(stage, { type: 'é'.repeat(128) })
      const longSender = await changed(stage, { sender: `@${'é'.repeat(123)}:evil.test` })
      await stage.evil.send([fits, tooLarge, wide, longType, longSender].map((each) => each.json))
      assert.equal(await stage.status(fits.id), 'accepted')
      for (const each of [tooLarge, wide, longType, longSender]) assert.equal(await stage.status(each.id), undefined)
    }))

  test('4.2 A: NUL characters in types, state keys and texts go through', () =>
    onStage(open, '12', async (stage) => {
      const events = [
        await changed(stage, { type: 'a\u0000b', sender: bob, state_key: '\u0000' }),
        await changed(stage, {
          content: { body: '\u0000', '\u0000': '\u0000', 'm.relates_to': { rel_type: '\u0000', event_id: '$\u0000' } },
        }),
        await changed(stage, { type: '\u0000' }),
        await changed(stage, { sender: '@mal\u0000lory:evil.test' }),
        await changed(stage, { prev_events: ['$\u0000'] }),
        await changed(stage, { auth_events: ['$\u0000'] }),
      ]
      for (const { json } of events) await sendBetweenGood(stage, json)
    }))

  test('grapevine: contents of state events may be anything, and clients can still read the room', () =>
    onStage(open, '12', async (stage) => {
      const types = [
        'm.room.name',
        'm.room.topic',
        'm.room.avatar',
        'm.room.canonical_alias',
        'm.room.tombstone',
        'm.room.encryption',
        'm.room.pinned_events',
        'm.room.server_acl',
        'm.room.guest_access',
        'm.room.history_visibility',
        'm.space.child',
        'm.space.parent',
      ]
      const keys = [
        'name',
        'topic',
        'url',
        'alias',
        'replacement_room',
        'algorithm',
        'pinned',
        'allow',
        'deny',
        'guest_access',
        'history_visibility',
        'via',
        'room_id',
        'm.topic',
      ]
      await stage.room.send(
        stage.alice.userId,
        'm.room.power_levels',
        { ...(stage.version.auth.creatorsOutrankEveryone ? {} : { [stage.alice.userId]: 100 }), users: { [bob]: 100 } },
        '',
      )
      for (const value of [null, 7, 'x', [1], { a: null }] as const) {
        const content = Object.fromEntries(keys.map((key) => [key, value])) as JsonObject
        for (const type of types) {
          const event = await stage.build({
            type,
            sender: bob,
            stateKey: type === 'm.space.child' ? '!x:y' : '',
            content,
          })
          await stage.evil.send([event.json])
        }
      }
      const listed = await stage.home.call(
        'GET',
        `/_matrix/client/v1/rooms/${encodeURIComponent(stage.room.roomId)}/hierarchy`,
        { token: stage.alice.token },
      )
      assert.equal(listed.status, 200)
      // The server ACL that bob set is reverted, so that events of the witness are accepted.
      await stage.room.send(stage.alice.userId, 'm.room.server_acl', { allow: ['*'] }, '')
      await stage.room.send(stage.alice.userId, 'm.room.history_visibility', { history_visibility: 'shared' }, '')
    }))

  test('4.2 A: member events of any content leave member lists and syncs whole', () =>
    onStage(open, '12', async (stage) => {
      for (const value of [null, 7, 'x', '\u0000', [1], { a: null }] as const) {
        const keys = [
          'displayname',
          'avatar_url',
          'reason',
          'is_direct',
          'third_party_invite',
          'join_authorised_via_users_server',
        ]
        const event = await stage.build({
          type: 'm.room.member',
          stateKey: mallory,
          content: { membership: 'join', ...Object.fromEntries(keys.map((key) => [key, value])) },
        })
        await sendBetweenGood(stage, event.json)
        const membership = await stage.build({
          type: 'm.room.member',
          stateKey: mallory,
          content: { membership: value } as JsonObject,
        })
        await sendBetweenGood(stage, membership.json)
      }
    }))

  test('4.2 A: any JSON at all as a list of PDUs and EDUs is answered or refused, and changes nothing', () =>
    onStage(open, '12', async (stage) => {
      const before = await stage.evil.author.extremities(stage.room.roomId)
      const known = fc.constantFrom<Json>(
        stage.room.roomId,
        'm.typing',
        'm.receipt',
        'm.presence',
        'm.direct_to_device',
        'm.device_list_update',
        mallory,
      )
      const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
        tree: fc.oneof(
          { maxDepth: 3 },
          known,
          fc.jsonValue() as fc.Arbitrary<Json>,
          fc.array(tie('tree'), { maxLength: 3 }),
          fc.dictionary(
            fc.constantFrom('room_id', 'content', 'edu_type', 'type', 'sender', 'user_id', '__proto__', 'push'),
            tie('tree'),
            { maxKeys: 6 },
          ) as fc.Arbitrary<Json>,
        ),
      }))
      await fc.assert(
        fc.asyncProperty(fc.array(tree, { maxLength: 5 }), fc.array(tree, { maxLength: 5 }), async (pdus, edus) => {
          const text = JSON.stringify({ origin: 'evil.test', origin_server_ts: 1, pdus, edus })
          const { status } = await stage.evil.sendText(text)
          assert.ok(status === 200 || status === 400, `${status}: ${text}`)
        }),
        { numRuns: 60 },
      )
      assert.deepEqual(await stage.evil.author.extremities(stage.room.roomId), before)
    }))

  test('4.2 A: an event that ends up beyond what an earlier one said keeps its own id', () =>
    onStage(open, '12', async (stage) => {
      const { json } = await stage.build({})
      const claimed = { ...json, event_id: (await stage.evil.author.extremities(stage.room.roomId))[0] as EventId }
      await sendBetweenGood(stage, stage.evil.seal(claimed, stage.version).json)
    }))
})
