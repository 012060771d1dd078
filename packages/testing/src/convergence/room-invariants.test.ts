// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventId, ServerName } from '@myelin/matrix/ids'
import { stateKey } from '@myelin/rules/auth/state-key'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { ForeignAuthor } from '../foreign-author.ts'
import { testNetwork } from '../network.ts'
import { authorRoom } from '../room-author.ts'
import { violationsOf } from './room-invariants.ts'
import { loadStoredRoom } from './stored-room.ts'
import type { StoredRoom } from './stored-room.ts'

const [alice, bob] = ['@alice:one.test', '@bob:two.test'] as const

type Story = {
  readonly ledger: StoredRoom
  readonly extremities: readonly EventId[]
  readonly ids: Record<string, EventId>
}

/** A room with a fork, a word that was soft-failed, and one that was rejected. */
async function story(): Promise<Story> {
  const network = await testNetwork({ servers: 2 })
  const [home, away] = [network.server('one.test'), network.server('two.test')]
  const room = await authorRoom(home.rt, alice, { preset: 'public_chat' })
  const theirs = new ForeignAuthor(home, away)
  await room.member(bob, bob, 'join')
  await room.send(alice, 'm.room.power_levels', { users: { [bob]: 50 } }, '')
  const prevEvents = await theirs.extremities(room.roomId)
  const draft = { roomId: room.roomId, sender: bob, type: 'm.room.topic', stateKey: '', prevEvents }
  const ours = await room.send(alice, 'm.room.topic', { topic: 'ours' }, '')
  const forked = await theirs.sendEvent({ ...draft, content: { topic: 'theirs' } })
  const rejected = await theirs.sendEvent({ ...draft, type: 'm.room.create', content: {} })
  await room.member(alice, bob, 'ban')
  const unwanted = await theirs.sendEvent({ ...draft, type: 'm.room.name', content: { name: 'late' } })
  const shown = await room.say(alice, 'shown')
  const ids = { ours, forked: forked.id, rejected: rejected.id, unwanted: unwanted.id, shown }
  const ledger = await loadStoredRoom('one.test' as ServerName, home.rt.db.read, room.roomId)
  const extremities = await theirs.extremities(room.roomId)
  await network.close()
  return { ledger, extremities, ids }
}

/** The same, with something else written about one event. */
function forged({ ledger }: Story, id: EventId | undefined, change: Partial<StoredEvent>): StoredRoom {
  const event = id === undefined ? undefined : ledger.events.get(id)
  assert.ok(event)
  const events = new Map(ledger.events).set(event.pdu.id, { ...event, ...change })
  const rejected = new Set(
    [...events.values()].flatMap(({ status, pdu }) => (status === EVENT_STATUS.rejected ? [pdu.id] : [])),
  )
  return { ...ledger, events, rejected }
}

describe('the invariants of a room', () => {
  test('has nothing to say where every event is what the events before it make it', async () => {
    const { ledger, extremities, ids } = await story()
    assert.deepEqual([...violationsOf(ledger, extremities)], [])
    assert.equal(ledger.events.get(ids['unwanted'] ?? ('' as EventId))?.status, EVENT_STATUS.softFailed)
    assert.equal(ledger.events.get(ids['rejected'] ?? ('' as EventId))?.status, EVENT_STATUS.rejected)
  })

  test('finds what was soft-failed by a state that wanted it, or that the room was never in', async () => {
    const received = await story()
    const { ids, ledger, extremities } = received
    const { softFailed: status } = EVENT_STATUS
    const wanted = [
      ...violationsOf(forged(received, ids['shown'], { status, roomRoot: ledger.been.at(-1) ?? 0 }), extremities),
    ]
    assert.ok(wanted.some((breach) => breach.endsWith('it is soft-failed and allowed')))
    const nowhere = [...violationsOf(forged(received, ids['unwanted'], { roomRoot: -1 }), extremities)]
    assert.ok(nowhere.some((breach) => breach.endsWith('is no state that the room was in')))
  })

  test('finds what was rejected and is allowed, and what was taken and is not', async () => {
    const received = await story()
    const { ids, extremities } = received
    const rejected = [...violationsOf(forged(received, ids['shown'], { status: EVENT_STATUS.rejected }), extremities)]
    assert.ok(rejected.some((breach) => breach.endsWith('it is rejected and allowed')))
    const taken = [...violationsOf(forged(received, ids['rejected'], { status: EVENT_STATUS.accepted }), extremities)]
    assert.ok(taken.some((breach) => breach.endsWith('it is refused')))
  })

  test('finds a state that is not what came before', async () => {
    const received = await story()
    const { ids, ledger, extremities } = received
    const [first = 0] = ledger.been
    const moved = [...violationsOf(forged(received, ids['forked'], { stateBefore: first }), extremities)]
    assert.ok(moved.some((breach) => breach.endsWith('is not what the events before it come to')))
    const without = new Map(ledger.states.get(ledger.been.at(-1) ?? 0))
    without.delete(stateKey('m.room.topic'))
    const been = [...ledger.been, -1]
    const lost = [...violationsOf({ ...ledger, been, states: new Map(ledger.states).set(-1, without) }, extremities)]
    assert.ok(lost.includes('the state of the room is not what its heads come to'))
  })

  test('finds an end of the room that something follows', async () => {
    const { ledger, extremities, ids } = await story()
    const ended = [...violationsOf(ledger, [...extremities, ids['forked'] ?? ('' as EventId)])]
    assert.ok(ended.some((breach) => breach.endsWith(`leads to ${ids['forked']}, which are heads`)))
  })
})
