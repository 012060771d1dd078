// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { authChain } from '@myelin/rules/state-resolution/auth-chain'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import { appendEvent } from '../append/append-event.ts'
import { authChainOf, nidsOfEvents } from './auth-edges.ts'
import type { Tx } from '../../engine/database.ts'
import { createRoomRow, openRoom } from '../rooms.ts'
import { eventIdsByNid } from '../../federation/served-events.ts'

let serial = 0

/** An event that names others as its auth events, whether we have them or not. */
function eventNaming(roomId: RoomId, id: EventId, authEvents: readonly EventId[]): Pdu {
  const [sender, type] = ['@alice:one.test' as UserId, 'org.example.state']
  const json = {
    type,
    sender,
    state_key: id,
    content: {},
    prev_events: [],
    auth_events: authEvents,
    depth: 1,
    origin_server_ts: 0,
  }
  return {
    id,
    roomId,
    sender,
    type,
    stateKey: id,
    content: {},
    prevEvents: [],
    authEvents,
    depth: 1,
    originServerTs: 0,
    json,
  }
}

async function put(tx: Tx, events: readonly Pdu[]): Promise<void> {
  for (const event of events) {
    const room = (await openRoom(tx, event.roomId)) ?? (await createRoomRow(tx, event.roomId, '11'))
    await appendEvent(tx, room, event, { notifies: 'no' })
  }
}

const newRoom = () => `!room${serial++}:one.test` as RoomId
const newId = () => `$event${serial++}:one.test` as EventId

onEveryDatabase('auth chains', (open) => {
  test('are those the rules know, whatever the graph and however often they are asked for', async () => {
    const db = await open()
    // Each event names any earlier ones, and some that are not stored.
    const graph = fc.array(fc.array(fc.nat(11), { maxLength: 4 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        graph,
        fc.array(fc.nat(11), { maxLength: 3 }),
        fc.boolean(),
        async (edges, starts, isReversed) => {
          const roomId = newRoom()
          const ids = edges.map(newId)
          const unknown = newId()
          const named = (index: number) => ids[index] ?? unknown
          const events = edges.map((to, index) =>
            eventNaming(
              roomId,
              named(index),
              to.map((other) => (other < index ? named(other) : unknown)),
            ),
          )
          const asked = starts.map(named)
          const arrived = new Map<EventId, Pdu>()
          // An event may come before those it names, as an invite does to a server that is not in the room.
          for (const event of isReversed ? events.toReversed() : events) {
            await db.write((tx) => put(tx, [event]))
            arrived.set(event.id, event)
            const expected = [
              ...authChain(
                asked.filter((id) => arrived.has(id)),
                arrived,
              ),
            ].toSorted()
            for (let time = 0; time < 2; time++) {
              const nids = await nidsOfEvents(db.read, asked)
              const chain = await eventIdsByNid(db.read, [...(await authChainOf(db.read, nids.values()))])
              assert.deepEqual(chain.toSorted(), expected)
            }
          }
        },
      ),
      { numRuns: 30 },
    )
    await db.close()
  })
})
