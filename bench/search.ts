// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { SearchIndexer } from '@myelin/services/delivery/search-indexer'
import { eventFilterOf } from '@myelin/services/room-state/event-filter'
import { searchEvents } from '@myelin/services/search/search'
import type { SearchOrder } from '@myelin/services/search/search-request'
import { internUsers, roomNid } from '@myelin/storage/engine/names'
import { insertRows } from '@myelin/storage/engine/prepared'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { openTemporaryPostgres, openTemporarySqlite } from '@myelin/testing/databases'
import { startPostgres } from '@myelin/testing/processes/postgres-server'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import { Texts } from './workloads/texts.ts'

/**
 * `node bench/search.ts [--messages 1000000] [--rooms 500] [--database postgres]`: writes messages in two scripts to a database,
 * measures how long they take to be indexed, and then searches of a user who is in six rooms of ten. In one process.
 */
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    rooms: { type: 'string', default: '500' },
    database: { type: 'string', default: 'sqlite' },
    runs: { type: 'string', default: '15' },
  },
})
const [messages, rooms, runs] = [Number(values.messages), Number(values.rooms), Number(values.runs)]
const ALICE = '@alice:one.test' as UserId
const BOB = '@bob:one.test' as UserId
const SECONDS_APART = 3
const texts = new Texts()

const postgres = values.database === 'postgres' ? await startPostgres() : undefined
const rt = await testRuntime(postgres ? (events) => openTemporaryPostgres(postgres.url, events) : openTemporarySqlite)
await fill(rt)
await measureIndexing(rt)
await measureSearches(rt)
await rt.close()
await postgres?.stop()

/** Writes the rows of messages as sending them would, without judging each. */
async function fill({ db, clock, ...rest }: TestRuntime): Promise<void> {
  const ids: RoomId[] = []
  for (let index = 0; index < rooms; index++) {
    const owner = index % 10 < 6 ? ALICE : BOB
    ids.push((await authorRoom({ db, clock, ...rest }, owner, { preset: 'public_chat' })).roomId)
  }
  const places: { readonly nid: number; readonly root: number; readonly roomId: RoomId }[] = []
  for (const roomId of ids) {
    const room = await cachedRoom(db.read, roomId)
    places.push({ roomId, nid: (await roomNid(db.read, roomId)) ?? 0, root: room?.stateRoot ?? 0 })
  }
  const senders = Array.from({ length: 100 }, (_, index) => `@user${index}:one.test` as UserId)
  for (let start = 0; start < messages; start += 2_048) {
    await db.write(async (tx) => {
      const numbers = await internUsers(tx, senders)
      const rows = Array.from({ length: Math.min(2_048, messages - start) }, (_, offset) => {
        const serial = start + offset
        const sender = senders[serial % senders.length] ?? BOB
        // Neighbors in time are in different rooms.
        const place = places[(serial * 7) % rooms] ?? { nid: 0, root: 0, roomId: '' }
        const position = tx.takePosition()
        const ts = clock.now() + Math.floor(serial / 10) * SECONDS_APART * 1000
        const pdu = {
          type: 'm.room.message',
          sender,
          room_id: place.roomId,
          content: { msgtype: 'm.text', body: texts.next(serial) },
          origin_server_ts: ts,
          depth: serial,
          prev_events: [],
          auth_events: [],
        }
        return {
          event_nid: position,
          event_id: createHash('sha256').update(String(serial)).digest(),
          room_nid: place.nid,
          position,
          depth: serial,
          type: pdu.type,
          state_key: null,
          sender_nid: numbers.get(sender) ?? 0,
          origin_server_ts: ts,
          state_before: place.root,
          state_after: place.root,
          room_root: place.root,
          replaces_nid: null,
          relates_to: null,
          rel_type: null,
          thread_nid: null,
          notifies: 1,
          notified: 0,
          status: 0,
          redacted_by: null,
          txn_device: null,
          txn_id: null,
          auth_nids: null,
          pdu: Buffer.from(JSON.stringify(pdu)),
        }
      })
      await insertRows(tx, 'events', rows)
      tx.touch('*')
    })
  }
  clock.advance(messages * SECONDS_APART * 1000)
}

async function measureIndexing(own: TestRuntime): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const [startedMs, cpu] = [performance.now(), process.cpuUsage()]
  const indexer = new SearchIndexer(own)
  await indexer.settled()
  const elapsedS = (performance.now() - startedMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  loop.disable()
  await indexer.close()
  console.table([
    {
      database: values.database,
      messages,
      'indexed/s': Math.round(messages / elapsedS),
      'CPU of this process, us/message': Math.round((user + system) / messages),
      'longest turn, ms': Math.round(loop.max / 1e6),
    },
  ])
}

async function measureSearches(own: TestRuntime): Promise<void> {
  const terms: Readonly<Record<string, string>> = {
    'most frequent word': texts.word(0),
    'frequent word': texts.word(40),
    'rare word': texts.word(40_000),
    'two frequent words': `${texts.word(3)} ${texts.word(9)}`,
    'frequent and rare word': `${texts.word(1)} ${texts.word(30_000)}`,
    'no such word': 'zyzzyva',
    'beginning of words': texts.word(70).slice(0, 3),
    'words of two scripts': `${texts.word(2)} ${texts.run(5)}`,
    'frequent character': texts.run(0),
    'frequent run': texts.run(700),
    'rare run': texts.run(7_500),
    'long run': `${texts.run(620)}${texts.run(900)}`,
  }
  const rows: object[] = []
  for (const [name, term] of Object.entries(terms))
    for (const order of ['rank', 'recent'] as const)
      rows.push({ search: name, order, ...(await timesOf(own, term, order)) })
  console.table(rows)
}

async function timesOf(own: TestRuntime, term: string, order: SearchOrder) {
  const requester = { userId: ALICE, deviceId: 'DEVICE', isAdmin: false, isGuest: false }
  const request = {
    ...{ term, order, keys: ['content.body', 'content.name', 'content.topic'] as const },
    ...{ filter: eventFilterOf({ limit: 10 }), includesState: false, groupBy: [], nextBatch: undefined },
    context: { before: 1, after: 1, includesProfile: true },
  }
  const timesMs: number[] = []
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  let found = { results: 0, count: 0 }
  for (let run = 0; run < runs; run++) {
    const startedMs = performance.now()
    const { results, count } = await searchEvents(own, requester, request)
    timesMs.push(performance.now() - startedMs)
    found = { results: results.length, count }
  }
  loop.disable()
  const sorted = timesMs.toSorted((a, b) => a - b)
  return {
    ...found,
    'first, ms': round(timesMs[0]),
    'median, ms': round(sorted[Math.floor(sorted.length / 2)]),
    'longest, ms': round(sorted.at(-1)),
    'longest turn, ms': round(loop.max / 1e6),
  }
}

function round(ms = 0): number {
  return Math.round(ms * 10) / 10
}
