// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_TURN_COST_US, takeLongestTurn } from '@myelin/kit/turn'
import type { EventId, UserId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/engine/database'
import { eventById, markRedacted } from '@myelin/storage/rooms/events/events'
import { searchAgain } from '@myelin/storage/rooms/events/searchable'
import { searchProgress } from '@myelin/storage/search/search-entries'
import { onEveryDatabase } from '@myelin/testing/databases'
import type { OpenDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import { eventFilterOf } from '../room-state/event-filter.ts'
import { searchEvents } from '../search/search.ts'
import type { SearchOrder } from '../search/search-request.ts'
import { SearchIndexer } from './search-indexer.ts'

const ALICE = '@alice:one.test' as UserId
/** More than two steps of the indexer, and than two rankings of a search. */
const MANY = 1_150

async function stage(open: OpenDatabase, count: number) {
  const rt = await testRuntime(open)
  const room = await authorRoom(rt, ALICE, { name: 'common room' })
  const ids: EventId[] = []
  for (let index = 0; index < count; index++)
    ids.push(await room.say(ALICE, `common ${index} ${'x '.repeat(index % 4)}`))
  return { rt, room, ids }
}

/** The ids of all messages that a search finds. */
async function found(rt: TestRuntime, term: string, order: SearchOrder = 'recent'): Promise<string[]> {
  const requester = { userId: ALICE, deviceId: 'DEVICE', isAdmin: false, isGuest: false }
  const wish = {
    keys: ['content.body'],
    filter: eventFilterOf({ limit: 100 }),
    includesState: false,
    groupBy: [],
  } as const
  const ids: string[] = []
  for (let nextBatch: string | undefined, isEnd = false; !isEnd; isEnd = nextBatch === undefined) {
    const page = await searchEvents(rt, requester, { ...wish, term, order, context: undefined, nextBatch })
    for (const { result } of page.results) ids.push((JSON.parse(result.text) as { event_id: string }).event_id)
    nextBatch = page.next_batch
  }
  return ids
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function indexed(rt: TestRuntime): Promise<void> {
  const indexer = new SearchIndexer(rt)
  await indexer.settled()
  await indexer.close()
}

/** A database whose writes fail after some. */
function failingAfter(db: Database, writes: number): Database {
  let left = writes
  return { ...db, write: async (work) => (left-- > 0 ? db.write(work) : Promise.reject(new Error('the power failed'))) }
}

onEveryDatabase('the search index', (open) => {
  test('is filled from an existing database, goes on after a restart in the middle, and has each event once', async () => {
    const { rt, ids } = await stage(open, MANY)
    // Taking the lease is one write, each step another.
    const broken = new SearchIndexer({ ...rt, db: failingAfter(rt.db, 2) })
    await broken.settled()
    const half = await searchProgress(rt.db.read)
    const before = await found(rt, 'common')
    await broken.close().catch(() => {})
    rt.clock.advance(60_000)
    takeLongestTurn()
    await indexed(rt)
    const indexedUs = takeLongestTurn()
    const [whole, after] = [await searchProgress(rt.db.read), await found(rt, 'common')]
    takeLongestTurn()
    const ranked = await found(rt, 'common', 'rank')
    const searchedUs = takeLongestTurn()
    const position = await rt.db.position()
    await rt.close()
    // A turn ends with the step that fills it.
    assert.ok(Math.max(indexedUs, searchedUs) <= 1.5 * MAX_TURN_COST_US, `${indexedUs} and ${searchedUs} us`)
    assert.ok(half > 0 && half < position, 'the first run must end in the middle')
    assert.ok(before.length > 0 && before.length < MANY)
    assert.ok(whole <= position)
    assert.deepEqual(after, ids.toReversed())
    assert.deepEqual(ranked.toSorted(), ids.toSorted())
  })

  test('pauses between steps, so that many messages are written together', async () => {
    const { rt, room } = await stage(open, 1)
    const indexer = new SearchIndexer(rt)
    await indexer.settled()
    // The room author moves the clock on by a second before each event.
    await room.say(ALICE, 'second')
    while ((await found(rt, 'second')).length === 0) await new Promise((resolve) => setImmediate(resolve))
    const progress = await searchProgress(rt.db.read)
    await rt.db.write(async (tx) => {
      tx.takePosition()
      tx.touch(room.roomId)
    })
    await turns(100)
    const during = await searchProgress(rt.db.read)
    rt.clock.advance(250)
    while ((await searchProgress(rt.db.read)) === progress) await new Promise((resolve) => setImmediate(resolve))
    await indexer.close()
    await rt.close()
    assert.equal(during, progress)
  })

  for (const load of [0, 1])
    test(`takes ${load === 0 ? 'no rests' : 'rests, and short steps,'} where the load is ${load}`, async () => {
      const { rt } = await stage(open, MANY)
      const indexer = new SearchIndexer(rt, () => () => load)
      const passing = async (from: number) => {
        for (;;) {
          const progress = await searchProgress(rt.db.read)
          if (progress > from) return progress
          await turns(1)
        }
      }
      const first = await passing(0)
      await turns(100)
      for (const ms of load === 0 ? [2] : [2, 500]) {
        rt.clock.advance(ms)
        await turns(100)
      }
      if (load === 1) assert.equal(await searchProgress(rt.db.read), first)
      rt.clock.advance(200 * load)
      const next = await passing(first)
      await indexer.close()
      await rt.close()
      assert.equal(next - first > 64, load === 0)
    })

  test('loses a redacted event with its redaction, and gets it back where that is taken back', async () => {
    const { rt, room, ids } = await stage(open, 3)
    const [first, second] = ids as [EventId, EventId]
    await indexed(rt)
    await room.send(ALICE, 'm.room.redaction', { redacts: first }, undefined)
    const entries = () => rt.db.read.selectFrom('search_entries').selectAll().execute()
    const [left, event] = [await entries(), await eventById(rt.db.read, second)]
    const nid = event?.nid ?? 0
    await rt.db.write((tx) => markRedacted(tx, nid, nid))
    const hidden = await found(rt, 'common')
    await rt.db.write(async (tx) => {
      await tx.updateTable('events').set({ redacted_by: null }).where('event_nid', '=', nid).execute()
      await searchAgain(tx, [nid])
      tx.touch(`redacted ${event?.pdu.roomId === undefined ? 0 : left[0]?.room_nid}`)
    })
    await indexed(rt)
    const shown = await found(rt, 'common')
    await rt.close()
    assert.deepEqual(left.length, 3, 'the name of the room and two messages')
    assert.deepEqual([hidden, shown], [[ids[2]], [ids[2], second]])
  })

  test('does not keep an event that was redacted while it was being indexed', async () => {
    const { rt, room, ids } = await stage(open, 2)
    const redact = async () => {
      await room.send(ALICE, 'm.room.redaction', { redacts: ids[0] ?? '' })
    }
    let isDone = false
    const write: Database['write'] = async (work) => {
      // The second write is the first step, whose events were read.
      if (!isDone && (await searchProgress(rt.db.read)) === 0 && leased) {
        isDone = true
        await redact()
      }
      leased = true
      return rt.db.write(work)
    }
    let leased = false
    const indexer = new SearchIndexer({ ...rt, db: { ...rt.db, write } })
    await indexer.settled()
    await indexer.settled()
    const entries = await rt.db.read.selectFrom('search_entries').selectAll().execute()
    await indexer.close()
    await rt.close()
    assert.equal(isDone, true)
    assert.equal(entries.length, 2)
  })
})
