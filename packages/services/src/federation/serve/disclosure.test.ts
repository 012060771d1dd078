// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { closeAccount, putAccount } from '@myelin/storage/accounts/accounts'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import { serveBackfill } from './backfill.ts'
import { serveEvent } from './event.ts'
import { serveEventAuth } from './event-auth.ts'
import { serveEventByTime } from './event-by-time.ts'
import { serveMissingEvents } from './missing-events.ts'
import { serveState, serveStateIds } from './state.ts'

const origin = 'two.test' as ServerName
const alice = '@alice:one.test'
const bob = '@bob:two.test'

// The messages that another server gets, of three: one sent before its user was invited, one between invite and join,
// one after.
const SEEN = {
  world_readable: ['whole', 'whole', 'whole'],
  shared: ['whole', 'whole', 'whole'],
  invited: ['redacted', 'whole', 'whole'],
  joined: ['redacted', 'redacted', 'whole'],
} as const
type Visibility = keyof typeof SEEN

// The memberships of its user, and whether the server may then make requests at all.
const STANDINGS = {
  'never member': { steps: [], mayAsk: 'where the world reads' },
  invited: { steps: ['invite'], mayAsk: 'where the world reads' },
  left: { steps: ['invite', 'join', 'leave'], mayAsk: 'where the world reads' },
  banned: { steps: ['invite', 'join', 'ban'], mayAsk: 'where the world reads' },
  'in the room': { steps: ['invite', 'join'], mayAsk: 'always' },
  'ACL-denied': { steps: ['invite', 'join', 'deny'], mayAsk: 'never' },
} as const
type Standing = keyof typeof STANDINGS

interface Room {
  readonly roomId: RoomId
  readonly messages: readonly { readonly id: EventId; readonly ts: number }[]
  readonly last: EventId
  /** The event that ended its user's membership. */
  readonly end: EventId | undefined
}

async function build(rt: TestRuntime, visibility: Visibility, standing: Standing): Promise<Room> {
  const room = await authorRoom(rt, alice, {
    initialState: [
      { type: 'm.room.history_visibility', stateKey: '', content: { history_visibility: visibility } },
      { type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'invite' } },
    ],
  })
  const messages: { id: EventId; ts: number }[] = []
  const say = async () => {
    const id = await room.say(alice, 'a secret')
    messages.push({ id, ts: rt.clock.now() })
  }
  const steps: readonly string[] = STANDINGS[standing].steps
  await say()
  if (steps.includes('invite')) await room.member(alice, bob, 'invite')
  await say()
  if (steps.includes('join')) await room.member(bob, bob, 'join')
  await say()
  let end: EventId | undefined
  if (steps.includes('leave')) end = await room.member(bob, bob, 'leave')
  if (steps.includes('ban')) end = await room.member(alice, bob, 'ban')
  if (steps.includes('deny')) await room.send(alice, 'm.room.server_acl', { allow: ['*'], deny: ['TWO.*'] }, '')
  return { roomId: room.roomId, messages, last: await room.say(alice, 'the end'), end }
}

type ServerVisibility = 'whole' | 'redacted' | 'refused'

const sightOf = (pdu: RawJson | undefined): ServerVisibility => (pdu?.text.includes('a secret') ? 'whole' : 'redacted')

async function refusedOr<T>(answer: Promise<T>): Promise<T | 'refused'> {
  try {
    return await answer
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    assert.equal(cause.code, 'M_FORBIDDEN')
    return 'refused'
  }
}

/** Returns the messages that every endpoint shows, or the room. */
const MESSAGE_READERS = {
  event: (rt, { messages }) =>
    Promise.all(
      messages.map(async ({ id }) => {
        const pdu = await refusedOr(serveEvent(rt, origin, id))
        return pdu === 'refused' ? pdu : sightOf(pdu)
      }),
    ),
  backfill: async (rt, { roomId, messages, last }) => {
    const pdus = await refusedOr(serveBackfill(rt, { origin, roomId, from: [last], limit: 100 }))
    return sightsIn(pdus, messages.length)
  },
  get_missing_events: async (rt, { roomId, messages, last }) => {
    const asked = { origin, roomId, earliest: [], latest: [last], limit: 50, minDepth: 0 }
    return sightsIn(await refusedOr(serveMissingEvents(rt, asked)), messages.length)
  },
  timestamp_to_event: (rt, { roomId, messages }) =>
    Promise.all(
      messages.map(async ({ id, ts }) => {
        const found = await refusedOr(serveEventByTime(rt, { origin, roomId, ts, direction: 'forward' }))
        if (found === 'refused') return found
        return found.eventId === id ? 'whole' : 'redacted'
      }),
    ),
} satisfies Record<string, (rt: TestRuntime, room: Room) => Promise<readonly ServerVisibility[]>>

/** Returns the messages among events, in the order of their depth. */
function sightsIn(pdus: readonly RawJson[] | 'refused', count: number): ServerVisibility[] {
  if (pdus === 'refused') return Array<ServerVisibility>(count).fill('refused')
  const depth = ({ text }: RawJson) => (JSON.parse(text) as { depth: number }).depth
  return pdus
    .filter(({ text }) => text.includes('"m.room.message"') && !text.includes('the end'))
    .toSorted((a, b) => depth(a) - depth(b))
    .slice(0, count)
    .map(sightOf)
}

const STATE_READERS = {
  state: (rt, { roomId, last }) => serveState(rt, { origin, roomId, eventId: last }),
  state_ids: (rt, { roomId, last }) => serveStateIds(rt, { origin, roomId, eventId: last }),
  event_auth: (rt, { roomId, last }) => serveEventAuth(rt, origin, roomId, last),
} satisfies Record<string, (rt: TestRuntime, room: Room) => Promise<unknown>>

describe('the history that another server may read', () => {
  let rt: TestRuntime
  before(async () => {
    rt = await testRuntime()
  })
  after(() => rt.close())

  for (const visibility of Object.keys(SEEN) as Visibility[]) {
    for (const standing of Object.keys(STANDINGS) as Standing[]) {
      const { mayAsk } = STANDINGS[standing]
      const isAnswered = mayAsk === 'always' || (mayAsk !== 'never' && visibility === 'world_readable')
      const messages: readonly ServerVisibility[] = isAnswered ? SEEN[visibility] : ['refused', 'refused', 'refused']

      test(`of a room with ${visibility} history, being ${standing}, is ${messages.join(', ')}`, async () => {
        const room = await build(rt, visibility, standing)
        for (const [name, read] of Object.entries(MESSAGE_READERS)) {
          // An event before which it was in the room is its to have, also when it is gone.
          const isOneByOne = name === 'event' && room.end && !isAnswered
          assert.deepEqual(await read(rt, room), isOneByOne ? ['refused', 'refused', 'whole'] : messages, name)
        }
        for (const [name, read] of Object.entries(STATE_READERS)) {
          const answer = await refusedOr<unknown>(read(rt, room))
          assert.equal(answer === 'refused', !isAnswered, name)
        }
      })
    }
  }

  for (const visibility of Object.keys(SEEN) as Visibility[]) {
    for (const standing of ['left', 'banned'] as const) {
      test(`of a room with ${visibility} history, being ${standing}, is as ever where it asks what led there`, async () => {
        const { roomId, end, messages } = await build(rt, visibility, standing)
        assert.ok(end)
        const before = { roomId, messages, last: end, end }
        for (const read of [MESSAGE_READERS.backfill, MESSAGE_READERS.get_missing_events]) {
          assert.deepEqual(await read(rt, before), SEEN[visibility])
        }
        for (const read of Object.values(STATE_READERS)) await read(rt, before)
        const both = { origin, roomId, earliest: [], latest: [end, (await build(rt, visibility, standing)).last] }
        const withForeign = await refusedOr(serveMissingEvents(rt, { ...both, limit: 50, minDepth: 0 }))
        assert.equal(withForeign === 'refused', visibility !== 'world_readable')
      })
    }
  }

  test('of a user of ours who had it erased is what a redaction leaves, but for what they made of the room', async () => {
    const room = await authorRoom(rt, alice, { preset: 'public_chat' })
    await room.member(bob, bob, 'join')
    const carol = '@carol:one.test' as UserId
    await rt.db.write(async (tx) => {
      await putAccount(tx, { userId: carol, passwordHash: null, createdTs: 1, isAdmin: false, isGuest: false })
    })
    await room.member(carol, carol, 'join')
    const said = await room.say(carol, 'a secret')
    const read = async () => {
      const backfilled = await serveBackfill(rt, { origin, roomId: room.roomId, from: [said], limit: 1 })
      return [sightOf(await serveEvent(rt, origin, said)), ...backfilled.map(sightOf)]
    }
    assert.deepEqual(await read(), ['whole', 'whole'])
    const named = await room.send(alice, 'm.room.topic', { topic: 'a secret' }, '')
    await rt.db.write(async (tx) => {
      await closeAccount(tx, carol, true)
      await putAccount(tx, {
        userId: alice as UserId,
        passwordHash: null,
        createdTs: 1,
        isAdmin: false,
        isGuest: false,
      })
      await closeAccount(tx, alice as UserId, true)
    })
    assert.deepEqual(await read(), ['redacted', 'redacted'])
    assert.equal(sightOf(await serveEvent(rt, origin, named)), 'whole')
  })

  test('is refused alike for a room we know and one we do not', async () => {
    const { roomId, last } = await build(rt, 'shared', 'never member')
    const asked = (room: RoomId) => serveStateIds(rt, { origin, roomId: room, eventId: last })
    const refusals = await Promise.all(
      [roomId, '!unknown:one.test' as RoomId].map((room) => asked(room).catch((cause: unknown) => String(cause))),
    )
    assert.equal(refusals[0], refusals[1])
  })
})
