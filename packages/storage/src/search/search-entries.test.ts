// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import type { Database } from '../engine/database.ts'
import { EntryPlaces, putSearchStep, searchProgress } from './search-entries.ts'
import type { IndexedEvent } from './search-entries.ts'

const NOW = 1_700_000_000_000

function event(nid: number, originServerTs: number): IndexedEvent {
  const content = { body: 'x' }
  return {
    event: {
      nid,
      roomNid: 1,
      senderNid: 1,
      originServerTs,
      type: 'm.room.message',
      isState: false,
      content,
      redacts: undefined,
    },
    tokens: ['x'],
  }
}

async function index(db: Database, places: EntryPlaces, events: readonly IndexedEvent[]): Promise<void> {
  const entries = await places.entriesFor(db.read, events, NOW)
  await db.write((tx) => putSearchStep(tx, { entries, dropped: [], done: [], progress: 1 }))
}

async function newestFirst(db: Database): Promise<number[]> {
  const wish = { anyOf: [['x']], oneOfEach: [], rooms: new Set([1]), senders: undefined, after: 0, upTo: Infinity }
  const { entries } = await db.read.search.find(db.read, { ...wish, limit: 100_000 })
  return entries.map(({ eventNid }) => eventNid)
}

onEveryDatabase('entries of the search index', (open) => {
  test('are ordered by the second of their events, and by arrival within one', async () => {
    const db = await open()
    const places = new EntryPlaces()
    await index(db, places, [event(1, 50_000), event(2, 40_000), event(3, 50_900), event(4, -5)])
    await index(db, places, [event(5, 45_000), event(6, 50_100), event(7, 40_001), event(8, 60_000)])
    const order = await newestFirst(db)
    await db.close()
    assert.deepEqual(order, [8, 6, 3, 1, 5, 7, 2, 4])
  })

  test('are there once, however often an event is indexed', async () => {
    const db = await open()
    const places = new EntryPlaces()
    await index(db, places, [event(1, 50_000), event(2, 50_000)])
    await index(db, places, [event(2, 50_000), event(3, 50_000)])
    await index(db, new EntryPlaces(), [event(1, 50_000), event(2, 50_000), event(3, 50_000)])
    const order = await newestFirst(db)
    await db.close()
    assert.deepEqual(order, [3, 2, 1])
  })

  test('all find a place where thousands of events have one time, also after a restart', async () => {
    const db = await open()
    const events = (from: number, count: number) => Array.from({ length: count }, (_, nid) => event(from + nid, 50_000))
    const places = new EntryPlaces()
    for (let from = 1; from < 9_000; from += 1_000) await index(db, places, events(from, 1_000))
    await index(db, new EntryPlaces(), [...events(9_001, 500), event(9_501, 10_000), event(9_502, 90_000)])
    const order = await newestFirst(db)
    await db.close()
    assert.equal(order.length, 9_502)
    assert.equal(new Set(order).size, 9_502)
    assert.deepEqual([order[0], order.at(-1)], [9_502, 9_501])
  })

  test('are not kept on top by a time that is to come', async () => {
    const db = await open()
    const places = new EntryPlaces()
    await index(db, places, [event(1, 10 * NOW), event(2, NOW + 1_000_000)])
    await index(db, places, [event(3, NOW)])
    const order = await newestFirst(db)
    await db.close()
    assert.deepEqual(order, [3, 2, 1])
  })

  test('come with the position up to which events were looked at', async () => {
    const db = await open()
    const before = await searchProgress(db.read)
    for (const progress of [17, 23])
      await db.write((tx) => putSearchStep(tx, { entries: [], dropped: [], done: [], progress }))
    const after = await searchProgress(db.read)
    await db.close()
    assert.deepEqual([before, after], [0, 23])
  })
})
