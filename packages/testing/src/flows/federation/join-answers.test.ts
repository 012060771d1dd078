// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { openTemporarySqlite } from '../../databases.ts'
import { join, post, stage, standing, stateOn, user } from '../../stages/federated-stage.ts'
import { checkConsistency } from '../../stages/partial-stage.ts'
import { tamperAnswers } from '../../tampered-answers.ts'

type Tamper = (answer: JsonObject, target: string) => JsonObject

const inTemplate =
  (change: (event: JsonObject) => JsonObject): Tamper =>
  (answer, target) =>
    target.includes('/make_join/') ? { ...answer, event: change(answer['event'] as JsonObject) } : answer
const inAnswer =
  (change: (answer: JsonObject) => JsonObject): Tamper =>
  (answer, target) =>
    target.includes('/send_join/') ? change(answer) : answer
const events = (answer: JsonObject, key: string) => answer[key] as readonly JsonObject[]

/** Templates of a server that wants a signature on something else, or a join to something that is no room. */
const HOSTILE: Readonly<Record<string, Tamper>> = {
  'the template of another room': inTemplate((event) => ({ ...event, room_id: '!other:one.test' })),
  'the template of another sender': inTemplate((event) => ({ ...event, sender: '@mallory:two.test' })),
  'the template for another member': inTemplate((event) => ({ ...event, state_key: '@mallory:two.test' })),
  'the template of another type': inTemplate((event) => ({ ...event, type: 'm.room.power_levels' })),
  'the template of a leave': inTemplate((event) => ({ ...event, content: { membership: 'leave' } })),
  'a template without a place': inTemplate((event) => ({ ...event, prev_events: [] })),
  'a template with thousands of places': inTemplate((event) => ({
    ...event,
    prev_events: Array.from({ length: 5000 }, (_, at) => `$${String(at).padStart(43, 'a')}`),
  })),
  'a template that is none': inTemplate(() => ({})),
  'a version nobody knows': (answer) => ('room_version' in answer ? { ...answer, room_version: 'org.evil' } : answer),
  'another version than the create event names': (answer) =>
    'room_version' in answer ? { ...answer, room_version: '10' } : answer,
  'no state': inAnswer((answer) => ({ ...answer, state: [] })),
  'a state that is no list': inAnswer((answer) => ({ ...answer, state: {} })),
  'no auth chain and no create event': inAnswer((answer) => ({
    ...answer,
    auth_chain: [],
    state: events(answer, 'state').filter(({ type }) => type !== 'm.room.create'),
  })),
  'a create event that somebody changed': inAnswer((answer) => ({
    ...answer,
    auth_chain: [],
    state: events(answer, 'state').map((event) =>
      event['type'] === 'm.room.create'
        ? { ...event, content: { room_version: '11', creator: '@mallory:two.test' } }
        : event,
    ),
  })),
  'two events for one key': inAnswer((answer) => {
    const state = events(answer, 'state')
    return { ...answer, state: [...state, ...state.slice(-1)] }
  }),
  'a state that does not allow the join': inAnswer((answer) => ({
    ...answer,
    auth_chain: [],
    state: events(answer, 'state').filter(({ type }) => type !== 'm.room.join_rules'),
  })),
}

describe('answers to a join', () => {
  for (const [name, tamper] of Object.entries(HOSTILE)) {
    test(`are not believed with ${name}, and the next server is asked`, async () => {
      const { network, alice, bob, roomId } = await stage(openTemporarySqlite, { servers: 3 })
      const carol = await user(network, 'carol', 'three.test')
      assert.equal((await join(carol, roomId)).status, 200)
      const { remote } = bob.server.rt
      let isOnlyJoin = true
      tamperAnswers(remote, async (server, { target }, honest) => {
        const isMeant = server === 'one.test' && (!isOnlyJoin || /\/(?:make|send)_join\//.test(target))
        return isMeant ? tamper(await honest(), target) : honest()
      })
      const failed = await join(bob, roomId, ['one.test'])
      // With another version, the event is built so that one.test refuses it: its 400 is relayed.
      assert.equal(failed.status, name.startsWith('another version') ? 400 : 502, JSON.stringify(failed.body))
      assert.equal(await standing(bob, roomId, bob.userId), undefined)
      isOnlyJoin = false
      assert.equal((await join(bob, roomId, ['one.test', 'three.test'])).status, 200)
      assert.ok((await stateOn(alice, roomId)).length > 0)
      await network.close()
    })
  }

  for (const [door, api] of [
    ['join', 'make_join'],
    ['knock', 'make_knock'],
  ] as const) {
    test(`that refuse with 400 reach the client of a ${door} with code and sentence`, async () => {
      const { network, bob, roomId } = await stage(openTemporarySqlite)
      const body = { errcode: 'M_BAD_JSON', error: 'Not today' }
      tamperAnswers(bob.server.rt.remote, async (_server, { target }, honest) => {
        if (!target.includes(`/${api}/`)) return honest()
        throw new RemoteError('refused', 'refused', { status: 400, errcode: body.errcode, body })
      })
      const refused = await post(bob, `${door}/${encodeURIComponent(roomId)}?via=one.test`)
      assert.deepEqual([refused.status, refused.body], [400, body])
      await network.close()
    })
  }

  /** Orders of the events in an answer. */
  const ORDERS: Readonly<Record<string, Tamper>> = {
    'all backwards': inAnswer((answer) =>
      Object.fromEntries(
        Object.entries(answer)
          .map(([key, value]) => [key, Array.isArray(value) ? value.toReversed() : value] as const)
          .toReversed(),
      ),
    ),
    'what it rests on last': inAnswer(({ auth_chain, ...rest }) => ({ ...rest, auth_chain: auth_chain ?? [] })),
    'everything twice': inAnswer((answer) => {
      const chain = [...events(answer, 'auth_chain'), ...events(answer, 'state')]
      return { ...answer, auth_chain: [...chain, ...chain.toReversed()] }
    }),
    'elements that are none': inAnswer((answer) => ({
      ...answer,
      auth_chain: [null, {}, 'x', { x: 'y'.repeat(600_000) }, ...events(answer, 'auth_chain'), [[]]],
    })),
  }
  for (const [name, tamper] of Object.entries(ORDERS)) {
    test(`may contain ${name}`, async () => {
      const { network, alice, bob, roomId } = await stage(openTemporarySqlite, { servers: 3 })
      const carol = await user(network, 'carol', 'three.test')
      assert.equal((await join(carol, roomId)).status, 200)
      tamperAnswers(bob.server.rt.remote, async (_server, { target }, honest) => tamper(await honest(), target))
      assert.equal((await join(bob, roomId)).status, 200)
      assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
      await checkConsistency(bob)
      await network.close()
    })
  }
})
