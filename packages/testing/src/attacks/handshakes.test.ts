// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { signJson } from '@myelin/matrix/signatures'
import { federationPath } from '@myelin/remote/federation'
import { onEveryDatabase } from '../databases.ts'
import type { ForeignRoom } from '../foreign-room.ts'
import { testSigningKey } from '../runtime.ts'
import type { Answer } from '../server.ts'
import { head, hostileRoom, signedByUs, templateOf } from './hostile-room.ts'
import { bob, onStage, type Stage, witness } from './stage.ts'
import { always, stateNow } from './hostile-answers.ts'

type Way = 'leave' | 'knock'

/** Changes that make a template one of another kind. */
const TWISTS: Readonly<Record<string, (stage: Stage) => JsonObject>> = {
  'of another type': () => ({ type: 'm.room.power_levels' }),
  'of another sender': () => ({ sender: '@admin:one.test' }),
  'of another member': () => ({ state_key: '@admin:one.test' }),
  'of another room of ours': ({ room }) => ({ room_id: room.roomId }),
  'of a join': () => ({ content: { membership: 'join' } }),
  'of an invite': () => ({ content: { membership: 'invite' } }),
  'with a depth that is none': () => ({ depth: 2 ** 53 }),
  'with prev events that are none': () => ({ prev_events: [{}] }),
  'with too many prev events': () => ({ prev_events: Array.from({ length: 21 }, (_, at) => `$${at}`) }),
  'that is none': () => ({ content: null }),
}

const post = ({ home, alice }: Stage, path: string): Promise<Answer> =>
  home.call('POST', `/_matrix/client/v3/${path}`, { token: alice.token, body: {} })
const knock = (stage: Stage, { roomId }: ForeignRoom) =>
  post(stage, `knock/${encodeURIComponent(roomId)}?via=evil.test`)
const leave = (stage: Stage, { roomId }: ForeignRoom) => post(stage, `rooms/${encodeURIComponent(roomId)}/leave`)

async function offered({ home, alice }: Stage, kind: 'invite' | 'knock'): Promise<Record<string, Json>> {
  const answer = await home.call('GET', '/_matrix/client/v3/sync', { token: alice.token })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return ((answer.body as { rooms?: Record<string, Record<string, Json>> }).rooms ?? {})[kind] ?? {}
}

/** The hostile server's room, to which it has invited alice. */
async function invited(stage: Stage): Promise<ForeignRoom> {
  const room = hostileRoom(stage)
  const event = room.build({
    sender: head,
    type: 'm.room.member',
    stateKey: stage.alice.userId,
    content: { membership: 'invite' },
  })
  const target = federationPath(['federation', 'v2', 'invite', room.roomId, event.id])
  const body = JSON.stringify({ room_version: '11', event: event.json, invite_room_state: [] })
  assert.equal((await stage.evil.request('PUT', target, body)).status, 200)
  assert.ok(room.roomId in (await offered(stage, 'invite')))
  return room
}

function answers(stage: Stage, room: ForeignRoom, way: Way, change: JsonObject): void {
  stage.evil.answers.set(`make_${way}/`, always(templateOf(stage, room, change, way)))
}

// A template is refused before it gets near a database.
describe('CVE-2026-24471: what another server words is not signed', () => {
  for (const [name, twist] of Object.entries(TWISTS)) {
    test(`a template ${name} ends a knock`, () =>
      onStage(undefined, '12', async (stage) => {
        const room = hostileRoom(stage)
        answers(stage, room, 'knock', twist(stage))
        assert.notEqual((await knock(stage, room)).status, 200)
        assert.deepEqual(signedByUs(stage), [])
        assert.deepEqual(await offered(stage, 'knock'), {})
      }))

    test(`a template ${name} does not keep a user from rejecting an invite`, () =>
      onStage(undefined, '12', async (stage) => {
        const room = await invited(stage)
        answers(stage, room, 'leave', twist(stage))
        assert.equal((await leave(stage, room)).status, 200)
        assert.deepEqual(signedByUs(stage), [])
        assert.deepEqual(await offered(stage, 'invite'), {})
      }))
  }

  for (const way of ['knock', 'leave'] as const) {
    test(`further members of the template of a ${way} are not signed`, () =>
      onStage(undefined, '12', async (stage) => {
        const room = way === 'knock' ? hostileRoom(stage) : await invited(stage)
        const content = { membership: way, displayname: 'Owned', join_authorised_via_users_server: stage.alice.userId }
        answers(stage, room, way, { content, redacts: '$x', unsigned: { a: 1 }, origin_server_ts: 5, extra: 7 })
        assert.equal((await (way === 'knock' ? knock : leave)(stage, room)).status, 200)
        const [sent, ...more] = signedByUs(stage)
        assert.ok(sent)
        assert.equal(more.length, 0)
        assert.deepEqual([sent['redacts'], sent['unsigned'], sent['extra']], [undefined, undefined, undefined])
        assert.equal(sent['origin_server_ts'], stage.home.rt.clock.now())
        const said = sent['content'] as JsonObject
        assert.deepEqual([said['membership'], said['join_authorised_via_users_server']], [way, undefined])
        assert.notEqual(said['displayname'], 'Owned')
      }))
  }
})

onEveryDatabase('the stripped state that a hostile server sends to a knocking user', (open) => {
  const shown = (stage: Stage, roomVersion: string, state: Json) =>
    shownOf(stage, hostileRoom(stage, roomVersion), state)
  const shownOf = async (stage: Stage, room: ForeignRoom, knock_room_state: Json): Promise<string[]> => {
    answers(stage, room, 'knock', {})
    stage.evil.answers.set('send_knock/', always({ knock_room_state }))
    assert.equal((await knock(stage, room)).status, 200)
    const received = (await offered(stage, 'knock'))[room.roomId] as { knock_state: { events: { type: string }[] } }
    return received.knock_state.events.map(({ type }) => type)
  }

  test('CVE-2024-52815: may be anything, and they can sync', () =>
    onStage(open, '12', async (stage) => {
      const event = { type: 'm.room.name', sender: head, state_key: '' }
      const odd: readonly Json[] = [
        null,
        7,
        'x',
        {},
        [null, 7, [], {}],
        [{ ...event, content: null }],
        [{ type: null, sender: null, state_key: null, content: null }],
        Array<Json>(500).fill(7),
      ]
      for (const state of odd) {
        stage.home.rt.clock.advance(10_000)
        assert.deepEqual(await shown(stage, '11', state), ['m.room.member'], JSON.stringify(state).slice(0, 200))
      }
    }))

  test('4.2 C: is of their room and signed, or nothing, where the room is known from its create event', () =>
    onStage(open, '12', async (stage) => {
      const { home } = stage
      // Events of our own room have good signatures, and are of another room.
      const ours = (await stateNow(stage)).map(({ json }) => json)
      assert.ok(ours.length > 4)
      assert.deepEqual(await shown(stage, '12', ours), ['m.room.member'])
      home.rt.clock.advance(10_000)
      const theirs = hostileRoom(stage, '12')
      const state = [...theirs.state.values()].map(({ json }) => json)
      const forged = state.map((json) => ({ ...json, signatures: { 'evil.test': { 'ed25519:test': 'x' } } }))
      const changed = state.map((json) => ({ ...json, content: { ...(json['content'] as object), name: 'Owned' } }))
      for (const received of [forged, changed, state.slice(1)])
        assert.deepEqual(await shownOf(stage, theirs, received), ['m.room.member'])
      assert.ok((await shownOf(stage, theirs, state)).includes('m.room.create'))
    }))
})

onEveryDatabase('an invite of an address that a hostile server exchanges', (open) => {
  const exchange = ({ evil, room }: Stage, event: JsonObject, roomId: string = room.roomId) =>
    evil.request(
      'PUT',
      federationPath(['federation', 'v1', 'exchange_third_party_invite', roomId]),
      JSON.stringify(event),
    )

  const target = '@new:evil.test'
  const good = ({ room, alice }: Stage): JsonObject => ({
    type: 'm.room.member',
    room_id: room.roomId,
    sender: alice.userId,
    state_key: target,
    content: {
      membership: 'invite',
      third_party_invite: { display_name: 'x', signed: { mxid: target, token: 'token', signatures: {} } },
    },
  })
  const wrongs: Readonly<Record<string, (stage: Stage) => JsonObject>> = {
    'that nobody made': () => ({}),
    'that no identity server signed': () => ({}),
    'of another room in its body': () => ({ room_id: '!other:one.test' }),
    'by a user of theirs': () => ({ sender: bob }),
    'by a user of a third server': () => ({ sender: witness }),
    'for another than was signed for': () => ({ state_key: '@else:evil.test' }),
    'that is a join': () => ({ content: { membership: 'join' } }),
    'that is no member event': () => ({ type: 'm.room.power_levels', state_key: '' }),
    'with nothing signed': () => ({ content: { membership: 'invite', third_party_invite: {} } }),
  }
  const key = testSigningKey('id.test')
  const inviteAddress = ({ room, alice }: Stage) => {
    const public_key = encodeBase64(key.publicKey)
    const content = {
      display_name: 'x',
      key_validity_url: 'https://id.test',
      public_key,
      public_keys: [{ public_key }],
    }
    return room.send(alice.userId, 'm.room.third_party_invite', content, 'token')
  }

  test('4.3.10: succeeds where the identity server signed for the invited user', () =>
    onStage(open, '12', async (stage) => {
      await inviteAddress(stage)
      const { userId } = await stage.home.register('new')
      const signed = signJson({ mxid: userId, token: 'token' }, 'id.test', key)
      const content = { membership: 'invite', third_party_invite: { display_name: 'x', signed } }
      assert.equal((await exchange(stage, { ...good(stage), state_key: userId, content })).status, 200)
      assert.ok(await stage.stateOf('m.room.member', userId))
    }))

  for (const [name, wrong] of Object.entries(wrongs)) {
    test(`CVE-2020-26257: ${name} is refused, and no user is invited`, () =>
      onStage(open, '12', async (stage) => {
        if (name !== 'that nobody made') await inviteAddress(stage)
        const { status } = await exchange(stage, { ...good(stage), ...wrong(stage) })
        assert.ok(status >= 400 && status < 500, String(status))
        for (const user of [target, '@else:evil.test'])
          assert.equal(await stage.stateOf('m.room.member', user), undefined)
      }))
  }

  test('4.3.10: in a room that its server is not in is refused', () =>
    onStage(open, '12', async (stage) => {
      const { status } = await exchange(stage, good(stage), '!other:one.test')
      assert.ok(status >= 400 && status < 500, String(status))
    }))
})
