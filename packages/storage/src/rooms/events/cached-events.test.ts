// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import { appendEvent } from '../append/append-event.ts'
import { childrenOf } from './children.ts'
import type { Database, Tx } from '../../engine/database.ts'
import { eventsRelatingTo, markRedacted, roomTail, timeline } from './events.ts'
import { placesBefore } from './history-positions.ts'
import { cachedEvents } from './cached-events.ts'
import { putHistoricEvent, putOutlier } from './outliers.ts'
import { createRoomRow, openRoom, roomById } from '../rooms.ts'
import type { StoredEvent } from '../../schema/stored-event.ts'

const TAIL = 64
const sender = '@alice:one.test' as UserId

function message(roomId: RoomId, serial: number): Pdu {
  const json = { type: 'm.room.message', sender, content: {}, prev_events: [], auth_events: [], depth: 1 }
  const rest = { content: {}, prevEvents: [], authEvents: [], depth: 1, originServerTs: 0 }
  return { id: `$${serial}${roomId}` as EventId, roomId, sender, type: json.type, ...rest, json }
}

/** Writes a room step by step; `which` picks one of its newest events. */
class Writing {
  readonly #db: Database
  readonly roomId: RoomId
  readonly ids: EventId[] = []

  constructor(db: Database, roomId: RoomId) {
    this.#db = db
    this.roomId = roomId
  }

  async tail(): Promise<StoredEvent[]> {
    const { roomId } = this
    return timeline(this.#db.read, { roomId, direction: 'backward', after: -1e9, before: 2 ** 40, limit: TAIL })
  }

  send(count: number, relatesTo?: EventId): Promise<void> {
    return this.#db.write(async (tx) => {
      for (let turn = 0; turn < count; turn++) {
        const room = (await openRoom(tx, this.roomId)) ?? (await createRoomRow(tx, this.roomId, '11'))
        const relation = relatesTo === undefined ? {} : { relatesTo, relType: 'm.reference' }
        await appendEvent(tx, room, this.#next(), { notifies: 'no', ...relation })
      }
    })
  }

  async redact(which: number): Promise<void> {
    const target = (await this.tail())[which]
    if (!target) return
    await this.#db.write(async (tx) => {
      const room = await openRoom(tx, this.roomId)
      if (!room) return
      const { nid } = await appendEvent(tx, room, this.#next(), { notifies: 'no' })
      await markRedacted(tx, target.nid, nid)
    })
  }

  async tellHistory(which: number): Promise<void> {
    const before = (await this.tail())[which]?.position
    if (typeof before === 'number') await this.#db.write((tx) => this.#putBefore(tx, before))
  }

  async #putBefore(tx: Tx, before: number): Promise<void> {
    const room = await openRoom(tx, this.roomId)
    const [position] = room ? await placesBefore(tx, room.nid, before, 1) : []
    if (!room || position === undefined) return
    const place = { room: room.nid, position, stateBefore: 0, stateAfter: 0, nid: tx.takeNid(), isKept: false }
    await putHistoricEvent(tx, this.#next(), { ...place, notifies: 'no' })
  }

  #next(): Pdu {
    const pdu = message(this.roomId, this.ids.length)
    this.ids.push(pdu.id)
    return pdu
  }
}

const step = fc.record({
  kind: fc.constantFrom('send', 'send many', 'relate', 'redact', 'history'),
  which: fc.nat(70),
  looks: fc.boolean(),
})

async function take(writing: Writing, { kind, which }: { kind: string; which: number }): Promise<void> {
  if (kind === 'send') return writing.send(1)
  if (kind === 'send many') return writing.send(which)
  if (kind === 'relate') return writing.send(1, writing.ids[which % writing.ids.length])
  return kind === 'redact' ? writing.redact(which % 4) : writing.tellHistory(which % 4)
}

const shown = (events: readonly StoredEvent[]) => events.map(({ pdu, redactedBy }) => [pdu.id, redactedBy])

onEveryDatabase('the cached events of a room', (open) => {
  test('is what a fresh look finds, whatever happened between two looks', async () => {
    const db = await open()
    let serial = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const writing = new Writing(db, `!${serial++}:one.test` as RoomId)
        await writing.send(3)
        for (const [turn, each] of steps.entries()) {
          await take(writing, each)
          if (!each.looks && turn < steps.length - 1) continue
          await db.position()
          const room = await roomById(db.read, writing.roomId)
          assert.deepEqual(
            shown(await roomTail(db.read, writing.roomId, room?.lastPosition ?? 0)),
            shown(await writing.tail()),
          )
          const parents = writing.ids.slice(-100)
          assert.deepEqual(
            shown(await childrenOf(db.read, writing.roomId, parents, 1000)),
            shown(await eventsRelatingTo(db.read, parents, undefined, 1000)),
          )
        }
      }),
      { numRuns: 25 },
    )
    await db.close()
  })

  test('has the state that a join brought once, and anew where an event of it gets a place', async () => {
    const db = await open()
    const writing = new Writing(db, '!joined:one.test' as RoomId)
    await writing.send(1)
    const pdu = message(writing.roomId, 100)
    const { nid, room } = await db.write(async (tx) => {
      const { nid: roomNid } = (await openRoom(tx, writing.roomId)) ?? assert.fail('no room')
      return { room: roomNid, nid: await putOutlier(tx, pdu, { room: roomNid, status: 'accepted' }) }
    })
    await db.position()
    const positionOf = async (read = db.read) => (await cachedEvents(read, [nid])).get(nid)?.position
    assert.equal(await positionOf(), null)
    const still = { ...db.read, run: () => assert.fail('read again') }
    assert.equal(await positionOf(still), null)
    const [position = 0] = await placesBefore(db.read, room, 1, 1)
    const place = { room, nid, position, stateBefore: 0, stateAfter: 0, isKept: true, notifies: 'no' } as const
    await db.write((tx) => putHistoricEvent(tx, pdu, place))
    await db.position()
    assert.equal(await positionOf(), position)
    await db.close()
  })

  test('costs no statement while nothing moves', async () => {
    const db = await open()
    const writing = new Writing(db, '!still:one.test' as RoomId)
    await writing.send(5)
    await db.position()
    const last = (await roomById(db.read, writing.roomId))?.lastPosition ?? 0
    const tail = await roomTail(db.read, writing.roomId, last)
    assert.deepEqual(await childrenOf(db.read, writing.roomId, writing.ids, 10), [])
    const still = { ...db.read, run: () => assert.fail('read again') }
    assert.equal(await roomTail(still, writing.roomId, last), tail)
    assert.deepEqual(await childrenOf(still, writing.roomId, writing.ids, 10), [])
    const names = new Map(db.cacheFigures())
    assert.equal(names.get('childless')?.size, 5)
    assert.ok((names.get('topicPositions')?.hits ?? 0) > 0)
    await db.close()
  })
})
