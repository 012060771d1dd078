// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import { appendEvent } from './append/append-event.ts'
import type { Tx } from '../engine/database.ts'
import { forwardExtremitiesOf, MAX_LISTED, updateForwardExtremities } from './forward-extremities.ts'
import { createRoomRow, openRoom } from './rooms.ts'

let serial = 0
const newRoom = () => `!room${serial++}:one.test` as RoomId
const newId = () => `$event${serial++}:one.test` as EventId

function messageAfter(roomId: RoomId, id: EventId, prevEvents: readonly EventId[]): Pdu {
  const [sender, type] = ['@alice:one.test' as UserId, 'm.room.message']
  const rest = { content: {}, depth: 1 }
  const json = { type, sender, prev_events: prevEvents, auth_events: [], origin_server_ts: 0, ...rest }
  return { id, roomId, sender, type, prevEvents, authEvents: [], originServerTs: 0, json, ...rest }
}

async function land(tx: Tx, pdu: Pdu): Promise<void> {
  const room = (await openRoom(tx, pdu.roomId)) ?? (await createRoomRow(tx, pdu.roomId, '11'))
  const nid = tx.takeNid()
  const extremities = await updateForwardExtremities(tx, room, { covered: new Set(pdu.prevEvents), added: nid })
  const graph = { extremityNids: extremities.listed, extremityCount: extremities.count }
  const states = { stateBefore: 0, stateAfter: 0, roomRoot: 0 }
  await appendEvent(tx, room, pdu, { notifies: 'no' }, { ...states, ...graph, nid, isKept: false })
}

onEveryDatabase("the heads of a room's graph", (open) => {
  test('are the events that no other leads to, the oldest listed, however many there are', async () => {
    const db = await open()
    // The number of earlier events that each event names, and the first of them.
    const names = fc.tuple(fc.constantFrom(0, 0, 0, 1, 2, 20), fc.nat(1000))
    await fc.assert(
      fc.asyncProperty(fc.array(names, { minLength: 1, maxLength: 60, size: 'max' }), async (events) => {
        const roomId = newRoom()
        const all: EventId[] = []
        const extremities = new Set<EventId>()
        for (const [count, from] of events) {
          const id = newId()
          const prevEvents = Array.from(
            { length: all.length === 0 ? 0 : count },
            (_, at) => all[(from + at) % all.length],
          )
          const pdu = messageAfter(roomId, id, [...new Set(prevEvents)] as EventId[])
          await db.write((tx) => land(tx, pdu))
          for (const previous of pdu.prevEvents) extremities.delete(previous)
          extremities.add(id)
          all.push(id)
        }
        const room = await db.write((tx) => openRoom(tx, roomId))
        assert.equal(room?.extremityCount, extremities.size)
        assert.deepEqual(room?.extremities, [...extremities].slice(0, MAX_LISTED))
        const known = await forwardExtremitiesOf(db.read, room?.nid ?? 0)
        assert.deepEqual(new Set(known.map(({ id }) => id)), extremities)
      }),
      { numRuns: 15 },
    )
    await db.close()
  })

  test('are forgotten where the graph begins anew', async () => {
    const db = await open()
    const roomId = newRoom()
    for (let at = 0; at < 30; at++) await db.write((tx) => land(tx, messageAfter(roomId, newId(), [])))
    const last = messageAfter(roomId, newId(), [])
    const extremities = await db.write(async (tx) => {
      const room = await openRoom(tx, roomId)
      assert.ok(room)
      await appendEvent(tx, room, last, { notifies: 'no' })
      return forwardExtremitiesOf(tx, room.nid)
    })
    assert.deepEqual(
      extremities.map(({ id }) => id),
      [last.id],
    )
    await db.close()
  })
})
