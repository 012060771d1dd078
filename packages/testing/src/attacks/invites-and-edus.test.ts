// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { onEveryDatabase } from '../databases.ts'
import { publicForeignRoom } from '../foreign-room.ts'
import { testSigningKey } from '../runtime.ts'
import type { Answer } from '../server.ts'
import { mallory, onStage, witness } from './stage.ts'
import type { Stage } from './stage.ts'

const ODD: readonly Json[] = [
  null,
  true,
  0,
  -1,
  2 ** 53 - 1,
  '',
  'x',
  '\u0000',
  '@',
  [],
  [null],
  [[]],
  {},
  { a: null },
  { '\u0000': {} },
  { rawJSON: '1' },
]

async function syncOf({ home, alice }: Stage): Promise<Record<string, unknown>> {
  const answer = await home.call('GET', '/_matrix/client/v3/sync?full_state=true', { token: alice.token })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}

type Invitation = {
  readonly event: JsonObject
  readonly roomId: string
  readonly eventId: string
  readonly more?: JsonObject
}

let serial = 0

/** An invite of alice to a room of the hostile server, and how it is sent. */
function invitation(
  stage: Stage,
  change: { sender?: string; stateKey?: string; type?: string; content?: JsonObject } = {},
): Invitation & { readonly pdu: Pdu } {
  const version = roomVersionOf('11')
  const room = publicForeignRoom(
    version,
    '@head:evil.test',
    testSigningKey,
    stage.home.rt.clock.now() - 5000 - serial++ * 10,
  )
  const draft = {
    sender: '@head:evil.test',
    type: 'm.room.member',
    stateKey: stage.alice.userId,
    content: { membership: 'invite' },
    ...change,
  }
  const pdu = room.build(draft)
  return { event: pdu.json, roomId: room.roomId, eventId: pdu.id, pdu }
}

function invite(
  { evil }: Stage,
  { event, roomId, eventId, more = { invite_room_state: [] } }: Invitation,
): Promise<Answer> {
  const target = federationPath(['federation', 'v2', 'invite', roomId, eventId])
  return evil.request('PUT', target, JSON.stringify({ room_version: '11', event, ...more }))
}

onEveryDatabase('invites of a hostile server', (open) => {
  test('CVE-2024-52815: whatever the state shown with an invite is, the invited can sync', () =>
    onStage(open, '12', async (stage) => {
      const event = (value: Json) => ({ type: 'm.room.name', sender: '@head:evil.test', state_key: '', content: value })
      const states: Json[] = [
        ...ODD,
        ...ODD.map((value) => [value]),
        ...ODD.map((value) => [event(value)]),
        [{ type: null, state_key: null, sender: null, content: null }],
        Array<Json>(500).fill(event({ name: 'x' })),
      ]
      for (const invite_room_state of states) {
        const { status } = await invite(stage, { ...invitation(stage), more: { invite_room_state } })
        assert.ok(status === 200 || status === 400, `${status}: ${JSON.stringify(invite_room_state)}`)
      }
      await syncOf(stage)
    }))
})

describe('malformed invites', () => {
  const wrongs: Readonly<Record<string, (stage: Stage) => Invitation>> = {
    'has another room in the path': (stage) => ({ ...invitation(stage), roomId: stage.room.roomId }),
    'has another event in the path': (stage) => ({ ...invitation(stage), eventId: `$${'a'.repeat(43)}` }),
    'is of a user of another server': (stage) => invitation(stage, { stateKey: witness }),
    'is by a user of another server': (stage) => invitation(stage, { sender: witness }),
    'is by a user of ours': (stage) => invitation(stage, { sender: stage.alice.userId }),
    'is a join': (stage) => invitation(stage, { content: { membership: 'join' } }),
    'is a ban': (stage) => invitation(stage, { content: { membership: 'ban' } }),
    'is no member event': (stage) => invitation(stage, { type: 'm.room.power_levels', content: { users: {} } }),
    'has no signature': (stage) => {
      const good = invitation(stage)
      return { ...good, event: { ...good.event, signatures: {} } }
    },
    'was changed': (stage) => {
      const good = invitation(stage)
      return { ...good, event: { ...good.event, content: { membership: 'invite', displayname: 'You' } } }
    },
    'is of a room version nobody knows': (stage) => ({
      ...invitation(stage),
      more: { room_version: '99', invite_room_state: [] },
    }),
  }
  for (const [name, wrong] of Object.entries(wrongs)) {
    test(`CVE-2020-26257 and CVE-2026-24471: what ${name} is refused, and is not signed by us`, () =>
      onStage(undefined, '12', async (stage) => {
        const answer = await invite(stage, wrong(stage))
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`)
        assert.ok(!JSON.stringify(answer.body).includes('"one.test":{'))
        const { rooms } = (await syncOf(stage)) as { rooms: { invite?: object } }
        assert.deepEqual(Object.keys(rooms.invite ?? {}), [])
      }))
  }
})

const edusOf = (stage: Stage, user: string): readonly JsonObject[] => [
  { edu_type: 'm.typing', content: { room_id: stage.room.roomId, user_id: user, typing: true } },
  {
    edu_type: 'm.receipt',
    content: { [stage.room.roomId]: { 'm.read': { [user]: { data: { ts: 1 }, event_ids: ['$x'] } } } },
  },
  {
    edu_type: 'm.presence',
    content: {
      push: [{ user_id: user, presence: 'online', last_active_ago: 5, status_msg: 'x', currently_active: true }],
    },
  },
  {
    edu_type: 'm.direct_to_device',
    content: { sender: user, type: 'm.x', message_id: 'm', messages: { [stage.alice.userId]: { '*': { a: 1 } } } },
  },
  {
    edu_type: 'm.device_list_update',
    content: {
      user_id: user,
      device_id: 'D',
      stream_id: 1,
      prev_id: [],
      deleted: false,
      device_display_name: 'x',
      keys: { user_id: user, device_id: 'D', algorithms: [], keys: {}, signatures: {} },
    },
  },
  {
    edu_type: 'm.signing_key_update',
    content: {
      user_id: user,
      master_key: { user_id: user, usage: ['master'], keys: { 'ed25519:a': 'a' } },
      self_signing_key: {},
    },
  },
]

/** The same with one value somewhere in it changed, one after the other. */
function* twisted(value: Json, odd: Json): Generator<Json> {
  yield odd
  if (typeof value !== 'object' || value === null) return
  for (const [key, entry] of Object.entries(value)) {
    for (const other of twisted(entry as Json, odd)) {
      if (Array.isArray(value)) yield (value as readonly Json[]).with(Number(key), other)
      else yield { ...(value as JsonObject), [key]: other }
    }
  }
}

onEveryDatabase('hostile EDUs', (open) => {
  test('4.2 A: with any value in an EDU, the transaction is answered and all users can sync', () =>
    onStage(open, '12', async (stage) => {
      let [sent, edus] = [0, [] as JsonObject[]]
      const flush = async () => {
        const good = await stage.build({ body: `${sent++}` })
        const answer = await stage.evil.send([good.json], edus)
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
        assert.equal(await stage.status(good.id), 'accepted')
        edus = []
      }
      for (const edu of edusOf(stage, mallory)) {
        for (const odd of ODD) {
          for (const content of twisted(edu['content'] ?? null, odd)) {
            edus.push({ ...edu, content })
            if (edus.length === 100) await flush()
          }
        }
      }
      await flush()
      await syncOf(stage)
    }))
})

describe('EDUs', () => {
  test('4.3.14: of rooms that their server is not in reach no user', () =>
    onStage(undefined, '12', async (stage) => {
      for (const user of [mallory, '@bob:evil.test']) await stage.room.member(user, user, 'leave')
      await stage.evil.send([], edusOf(stage, mallory).slice(0, 3))
      const seen = JSON.stringify(
        ((await syncOf(stage)) as { rooms: { join: Record<string, { ephemeral: unknown }> } }).rooms.join[
          stage.room.roomId
        ]?.ephemeral,
      )
      assert.ok(!seen.includes(mallory))
    }))

  test('4.3.14: of a server that the ACL denies reach no user', () =>
    onStage(undefined, '12', async (stage) => {
      await stage.room.send(stage.alice.userId, 'm.room.server_acl', { allow: ['*'], deny: ['evil.test'] }, '')
      await stage.evil.send([], edusOf(stage, mallory).slice(0, 2))
      const seen = JSON.stringify(
        ((await syncOf(stage)) as { rooms: { join: Record<string, { ephemeral: unknown }> } }).rooms.join[
          stage.room.roomId
        ]?.ephemeral,
      )
      assert.ok(!seen.includes(mallory))
    }))

  test('CVE-2023-42453: say of their own users what they say of no others', () =>
    onStage(undefined, '12', async (stage) => {
      await stage.evil.send([], [...edusOf(stage, witness).slice(0, 2), ...edusOf(stage, mallory).slice(0, 2)])
      const { rooms } = (await syncOf(stage)) as { rooms: { join: Record<string, { ephemeral: unknown }> } }
      const seen = JSON.stringify(rooms.join[stage.room.roomId]?.ephemeral)
      assert.ok(seen.includes(mallory), 'what is theirs to say is taken')
      assert.ok(!seen.includes(witness))
    }))
})
