// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { preparedStatement } from '../engine/prepared.ts'
import type { NewSearchEntry } from '../engine/search-index.ts'
import { eventIdBytes } from '../rooms/events/event-ids.ts'
import { dropFromSearch, indexedAmong } from '../rooms/events/searchable.ts'
import type { Nid, Tables } from '../schema/schema.ts'
import type { SearchableEvent } from './searchable-events.ts'

/** An event with its tokens. */
export interface IndexedEvent {
  readonly event: SearchableEvent
  readonly tokens: readonly string[]
}

/** Ids descend from here: an entry's id is this, less 64 for each second of its event's time, and less a place in the second. */
const BASE = 2 ** 40
const PLACES = 64
/** The latest second that an id can express. */
const MAX_SECOND = 2 ** 33
/** The ids in one stretch that are read to find a free one, and the most stretches. */
const STRETCH = 512
const MAX_STRETCHES = 32
/** The most ids that are read for a whole batch. */
const MAX_TAKEN = 4_096

/** Returns the id from which on, downward, an event of a time (ms) gets its entry. */
function idFor(originServerTs: number, now: number): number {
  // A time that is to come does not keep an event on top for ever.
  const second = Math.floor(Math.min(Math.max(0, originServerTs), now) / 1000)
  return BASE - Math.min(second, MAX_SECOND) * PLACES
}

/**
 * Gives entries of the search index their ids. They are ordered by the second of `origin_server_ts`, and within one by arrival.
 *
 * It is used by one task at a time, so an id that is free stays free until it is written.
 */
export class EntryPlaces {
  /** The lowest id given in a second, by the id that the second begins with. */
  readonly #lowest = new Map<number, number>()

  /**
   * Returns the entries of events that are not in the index yet, ascending by id.
   *
   * @param now the time in ms; a later `origin_server_ts` counts as this one
   */
  async entriesFor(db: Read, found: readonly IndexedEvent[], now: number): Promise<NewSearchEntry[]> {
    const known = await indexedAmong(
      db,
      found.map(({ event }) => event.nid),
    )
    const fresh = found
      .filter(({ event }) => !known.has(event.nid))
      .map((each) => ({ ...each, first: idFor(each.event.originServerTs, now) }))
      .toSorted((a, b) => b.first - a.first || a.event.nid - b.event.nid)
    if (fresh.length === 0) return []
    const ids = await this.#free(
      db,
      fresh.map(({ first }) => first),
    )
    const entries = fresh.map(({ event, tokens }, index) => ({
      entryId: ids[index] ?? 0,
      eventNid: event.nid,
      roomNid: event.roomNid,
      senderNid: event.senderNid,
      tokens,
    }))
    return entries.toSorted((a, b) => a.entryId - b.entryId)
  }

  /** Returns a free id for each of these, descending: the first at or below it that is neither taken nor given to another. */
  async #free(db: Read, wanted: readonly number[]): Promise<number[]> {
    const newest = (await db.selectFrom('search_entries').select('entry_id').orderBy('entry_id').limit(1).execute())[0]
    const lowest = newest?.entry_id ?? BASE + 1
    const taken = await takenBetween(db, Math.min(...wanted) - STRETCH, Math.max(...wanted))
    const ids: number[] = []
    let last = Infinity
    for (const first of wanted) {
      const start = Math.min(first, last - 1, (this.#lowest.get(first) ?? Infinity) - 1)
      const id = start < lowest ? start : ((taken && freeIn(taken, start)) ?? (await freeFrom(db, start, lowest)))
      ids.push((last = id))
      this.#remember(first, id)
    }
    return ids
  }

  #remember(first: number, id: number): void {
    if (this.#lowest.size >= 10_000) this.#lowest.clear()
    this.#lowest.set(first, id)
  }
}

/** The ids that are taken in a range, and where the range begins. */
interface Taken {
  readonly after: number
  readonly ids: ReadonlySet<number>
}

/** Returns the ids that are taken in a range; undefined where they are very many. */
async function takenBetween(db: Read, after: number, upTo: number): Promise<Taken | undefined> {
  const rows = await db
    .selectFrom('search_entries')
    .select('entry_id')
    .where('entry_id', '>', after)
    .where('entry_id', '<=', upTo)
    .limit(MAX_TAKEN)
    .execute()
  return rows.length === MAX_TAKEN ? undefined : { after, ids: new Set(rows.map((row) => row.entry_id)) }
}

function freeIn({ after, ids }: Taken, start: number): number | undefined {
  for (let id = start; id > after; id--) if (!ids.has(id)) return id
  return undefined
}

/** Returns the first free id at or below one. Where a second is very full, that is the newest of all. */
async function freeFrom(db: Read, start: number, lowest: number): Promise<number> {
  for (let end = start, tries = 0; tries < MAX_STRETCHES; tries++, end -= STRETCH) {
    const taken = await takenBetween(db, end - STRETCH, end)
    const id = taken && freeIn(taken, end)
    if (id !== undefined) return id
  }
  return Math.min(start, lowest) - 1
}

/** Returns the numbers of those of these events that were redacted. */
export async function redactedAmong(db: Read, ids: readonly EventId[]): Promise<Nid[]> {
  const rows = await inChunks(ids.map(eventIdBytes), (chunk) =>
    db
      .selectFrom('events')
      .select('event_nid')
      .where('event_id', 'in', chunk)
      .where('redacted_by', 'is not', null)
      .execute(),
  )
  return rows.map((row) => row.event_nid)
}

const PROGRESS = 'search_indexed'

/** Returns the number up to which all events were looked at for the search index; 0 before the first. */
export async function searchProgress(db: Read): Promise<Nid> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', PROGRESS).executeTakeFirst()
  return Number(row?.value ?? 0)
}

/** The outcome of looking at events. */
export interface SearchStep {
  readonly entries: readonly NewSearchEntry[]
  /** Events that must not be in the index. */
  readonly dropped: readonly Nid[]
  /** The events that were looked at again. */
  readonly done: readonly Nid[]
  /** The number up to which all were looked at. */
  readonly progress: Nid
}

/** Adds entries, and notes how far the index is. It reads nothing, so an engine may do it on another thread. */
export async function putSearchStep(tx: Tx, { entries, dropped, done, progress }: SearchStep): Promise<void> {
  await tx.search.put(tx, entries)
  await dropFromSearch(tx, dropped)
  for (const nid of done) await tx.send(dropDue(tx, { event_nid: nid }))
  await tx.send(noteProgress(tx, { name: PROGRESS, value: String(progress) }))
}

const dropDue = preparedStatement<{ event_nid: Nid }>(['event_nid'], (builder, row) =>
  builder.deleteFrom('search_due').where('event_nid', '=', row.event_nid),
)

const noteProgress = preparedStatement<Tables['settings']>(['name', 'value'], (builder, row) =>
  builder
    .insertInto('settings')
    .values(row)
    .onConflict((at) => at.column('name').doUpdateSet({ value: row.value })),
)
