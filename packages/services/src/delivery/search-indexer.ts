// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import { EntryPlaces, putSearchStep, redactedAmong, searchProgress } from '@myelin/storage/search/search-entries'
import type { IndexedEvent } from '@myelin/storage/search/search-entries'
import { eventsDue, NIDS_AT_ONCE, searchableByNid, searchableEvents } from '@myelin/storage/search/searchable-events'
import type { SearchableEvent } from '@myelin/storage/search/searchable-events'
import type { Runtime } from '../runtime/runtime.ts'
import { searchedTextOf } from '../search/searched-text.ts'
import { keyToken, tokensOf } from '../search/tokens.ts'
import { LogFollower } from './log-follower.ts'
import type { Stretch } from './log-follower.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'random' | 'log' | 'metrics'>

/** From this number of events on, a step is written. */
const EVENTS_A_STEP = 512
/** The most stretches that are read for a step: most of the log may be about other things. */
const STRETCHES_A_STEP = 64
/** The most events that are looked at again in a step. */
const DUE_A_STEP = 256
/** The time between two steps when nothing is behind: each commit costs a sync of the disk. */
const PAUSE_MS = 250
/** Further behind than this, steps follow each other without a pause, and the progress is logged. */
const FAR_BEHIND = 10_000
const PROGRESS_LOG_MS = 10_000
/** The estimated cost of the tokens of an event, and of each character of it. */
const EVENT_COST_US = 5
const CHARACTER_COST_US = 0.1

/**
 * Fills the search index: a {@link LogFollower} reads the events that are new in the log, and on its first run all that a database
 * has. It runs on one node.
 *
 * How far it is stands in the database, and is written with each step; so a step is done once, also after a crash.
 */
export class SearchIndexer {
  readonly #rt: Needs
  readonly #follower: LogFollower
  readonly #places = new EntryPlaces()
  #progress = 0
  #isHurried = false
  #steppedMs = -Infinity
  #loggedMs = -Infinity
  #indexed = 0

  constructor(rt: Needs) {
    this.#rt = rt
    this.#follower = new LogFollower(rt, {
      name: 'search index',
      begin: async () => {
        this.#progress = await searchProgress(rt.db.read)
      },
      follow: (stretch, term) => this.#follow(stretch, term),
      safePosition: (reached) => Math.min(reached, this.#progress),
    })
    rt.metrics.watchSearchPosition(() => (this.#follower.term ? this.#progress : 0))
  }

  /** Resolves when everything that is known of the log is in the index. */
  async settled(): Promise<void> {
    this.#isHurried = true
    this.#follower.run()
    await this.#follower.settled()
    this.#isHurried = false
  }

  /** Finishes the step under way. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  async #follow({ upTo }: Stretch, term: AbortSignal): Promise<number | undefined> {
    const waitMs = this.#steppedMs + PAUSE_MS - this.#rt.clock.now()
    const isBehind = upTo - this.#progress > FAR_BEHIND
    if (waitMs > 0 && !isBehind && !this.#isHurried) return waitMs
    if (isBehind) this.#rt.log.info({ position: this.#progress, upTo }, 'indexing events for search')
    while (this.#progress < upTo && !term.aborted) {
      await this.#advance(upTo)
      this.#logProgress(upTo)
    }
    while (!term.aborted && (await this.#lookAgain())) continue
    this.#steppedMs = this.#rt.clock.now()
    if (isBehind && !term.aborted)
      this.#rt.log.info({ position: this.#progress, events: this.#indexed }, 'all events are indexed for search')
    return undefined
  }

  /** Indexes the next events of the log. */
  async #advance(upTo: number): Promise<void> {
    const { db } = this.#rt
    const found: SearchableEvent[] = []
    let end = this.#progress
    for (let read = 0; read < STRETCHES_A_STEP && end < upTo && found.length < EVENTS_A_STEP; read++) {
      const next = Math.min(end + NIDS_AT_ONCE, upTo)
      for (const event of await searchableEvents(db.read, end, next)) found.push(event)
      end = next
    }
    await this.#index(found, { done: [], progress: end })
    this.#progress = end
  }

  /** Indexes events that got their place only now, or are not redacted any more; returns whether there were some. */
  async #lookAgain(): Promise<boolean> {
    const { read } = this.#rt.db
    const done = await eventsDue(read, DUE_A_STEP)
    if (done.length === 0) return false
    await this.#index(await searchableByNid(read, done), { done, progress: this.#progress })
    return true
  }

  async #index(
    found: readonly SearchableEvent[],
    step: { readonly done: readonly number[]; readonly progress: number },
  ): Promise<void> {
    const { db, clock } = this.#rt
    const entries = await this.#places.entriesFor(db.read, await withTokens(found), clock.now())
    const dropped = await redactedAmong(
      db.read,
      found.flatMap(({ redacts }) => redacts ?? []),
    )
    await db.write((tx) => putSearchStep(tx, { entries, dropped, ...step }))
    this.#indexed += entries.length
  }

  #logProgress(upTo: number): void {
    const now = this.#rt.clock.now()
    if (upTo - this.#progress <= FAR_BEHIND || now - this.#loggedMs < PROGRESS_LOG_MS) return
    this.#loggedMs = now
    const share = `${Math.floor((100 * this.#progress) / upTo)} %`
    this.#rt.log.info({ position: this.#progress, upTo, share, events: this.#indexed }, 'indexing events for search')
  }
}

/** Returns the events with a text, with its tokens. */
async function withTokens(events: readonly SearchableEvent[]): Promise<IndexedEvent[]> {
  const indexed: IndexedEvent[] = []
  for (const event of events) {
    const found = searchedTextOf(event)
    if (!found) continue
    indexed.push({ event, tokens: [...tokensOf(found.text), keyToken(found.key)] })
    await step(EVENT_COST_US + found.text.length * CHARACTER_COST_US)
  }
  return indexed
}
