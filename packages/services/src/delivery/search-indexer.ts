// SPDX-License-Identifier: Apache-2.0
import { loopLoadSince } from '@myelin/kit/loop-load'
import { step } from '@myelin/kit/turn'
import { EntryPlaces, putSearchStep, redactedAmong, searchProgress } from '@myelin/storage/search/search-entries'
import type { IndexedEvent } from '@myelin/storage/search/search-entries'
import { eventsDue, NIDS_AT_ONCE, searchableByNid, searchableEvents } from '@myelin/storage/search/searchable-events'
import type { SearchableEvent } from '@myelin/storage/search/searchable-events'
import type { Runtime } from '../runtime/runtime.ts'
import { searchedTextOf } from '../search/searched-text.ts'
import { keyToken, tokensOf } from '../search/tokens.ts'
import { LogFollower } from './log-follower.ts'
import type { Rest, Stretch } from './log-follower.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'random' | 'log' | 'metrics'>

/** From this number of events on, a step is written. */
const EVENTS_A_STEP = 512
/** The most stretches that are read for a step: most of the log may be about other things. */
const STRETCHES_A_STEP = 64
/** The most events that are looked at again in a step. */
const DUE_A_STEP = 256
/** The time between two steps when nothing is behind: each commit costs a sync of the disk. */
const PAUSE_MS = 250
/** The time between two steps of which the second is due: it shows whether others need the processor. */
const GLANCE_MS = 2
/** From this load on they do. Steps are then short, and take this part of the time: some 1,500 messages a second. */
const BUSY_LOAD = 0.85
const SHARE_WHEN_BUSY = 1 / 20
const EVENTS_A_SHORT_STEP = 64
/** The processor time of an event in a step, on all threads: about 30 us. */
const STEP_COST_MS = 0.03
/** Further behind than this, the progress is logged. */
const FAR_BEHIND = 10_000
const PROGRESS_LOG_MS = 10_000
/** The estimated cost of the tokens of an event, and of each character of it. */
const EVENT_COST_US = 5
const CHARACTER_COST_US = 0.1

/**
 * Fills the search index: a {@link LogFollower} reads the events that are new in the log, and on its first run all that a database
 * has. It runs on one node. A server that is busy with other things is not slowed down: messages are found later then.
 *
 * How far it is stands in the database, and is written with each step; so a step is done once, also after a crash.
 */
export class SearchIndexer {
  readonly #rt: Needs
  readonly #measureLoad: () => () => number
  readonly #follower: LogFollower
  readonly #places = new EntryPlaces()
  #progress = 0
  #isHurried = false
  /** When the last step ended, its cost, whether another was due, and the load since. */
  #steppedMs = -Infinity
  #stepCostMs = 0
  #isMore = false
  #loadSince: () => number = () => 0
  #isBusy = false
  /** When the progress was logged; undefined where nothing is far behind. */
  #loggedMs: number | undefined
  #indexed = 0

  /** @param measureLoad begins a measurement of the load, as {@link loopLoadSince} does */
  constructor(rt: Needs, measureLoad = loopLoadSince) {
    this.#rt = rt
    this.#measureLoad = measureLoad
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

  async #follow({ upTo }: Stretch, term: AbortSignal): Promise<Rest | undefined> {
    do {
      const restMs = this.#restMs()
      if (restMs > 0) return { restMs }
      const before = this.#progress
      this.#isMore = await this.#step(upTo)
      this.#stepCostMs = (this.#progress - before) * STEP_COST_MS
      this.#steppedMs = this.#rt.clock.now()
      this.#loadSince = this.#measureLoad()
      this.#logProgress(upTo)
    } while (this.#isMore && !term.aborted)
    return undefined
  }

  /** Returns for how long to rest before the next step, and sees whether the server is busy. */
  #restMs(): number {
    this.#isBusy = false
    if (this.#isHurried) return 0
    const restedMs = this.#rt.clock.now() - this.#steppedMs
    const leastMs = (this.#isMore ? GLANCE_MS : PAUSE_MS) - restedMs
    if (leastMs > 0) return leastMs
    this.#isBusy = this.#loadSince() >= BUSY_LOAD
    return this.#isBusy ? Math.ceil(this.#stepCostMs / SHARE_WHEN_BUSY) - restedMs : 0
  }

  /** Indexes the next events of the log, or those to be looked at again; returns whether there may be more. */
  async #step(upTo: number): Promise<boolean> {
    if (this.#progress < upTo) await this.#advance(upTo)
    return this.#progress < upTo || this.#lookAgain()
  }

  /** Indexes the next events of the log. */
  async #advance(upTo: number): Promise<void> {
    const { db } = this.#rt
    const [most, atOnce] = this.#isBusy ? [EVENTS_A_SHORT_STEP, EVENTS_A_SHORT_STEP] : [EVENTS_A_STEP, NIDS_AT_ONCE]
    const found: SearchableEvent[] = []
    let end = this.#progress
    for (let read = 0; read < STRETCHES_A_STEP && end < upTo && found.length < most; read++) {
      const next = Math.min(end + atOnce, upTo)
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
    const { clock, log } = this.#rt
    const fields = { position: this.#progress, upTo, events: this.#indexed }
    if (upTo - this.#progress <= FAR_BEHIND) {
      if (this.#loggedMs !== undefined) log.info(fields, 'all events are indexed for search, but for the newest')
      this.#loggedMs = undefined
    } else if (this.#loggedMs === undefined || clock.now() - this.#loggedMs >= PROGRESS_LOG_MS) {
      this.#loggedMs = clock.now()
      log.info({ ...fields, share: `${Math.floor((100 * this.#progress) / upTo)} %` }, 'indexing events for search')
    }
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
