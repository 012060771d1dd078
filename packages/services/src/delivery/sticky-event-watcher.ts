// SPDX-License-Identifier: Apache-2.0
import { topics } from '@myelin/storage/engine/topics'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { dropEndedStickiness, nextStickyEndTs, softFailedStickyEvents } from '@myelin/storage/rooms/sticky-events'
import { acceptSoftFailed } from '../rooms/intake/accept-soft-failed.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { LogFollower } from './log-follower.ts'

/** The most soft-failed events that are judged again at a time. */
const MAX_JUDGED = 1_000
/** Number of rows deleted in one unit, so that other writes run in between. */
const ROWS_A_UNIT = 500
const MIN_PAUSE_MS = 1_000
/** The longest time between two looks, so that a clock that is set does not keep events sticky for long. */
const MAX_PAUSE_MS = 60_000

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'random' | 'log'>

/**
 * Ends the stickiness of events at its time, and judges soft-failed sticky events again when the state of their room changed. It
 * runs on one node.
 */
export class StickyEventWatcher {
  readonly #rt: Needs
  readonly #follower: LogFollower
  /** The state root by which each soft-failed event was judged last. */
  #judged = new Map<number, number>()
  #hasSoftFailed = true

  constructor(rt: Needs) {
    this.#rt = rt
    this.#follower = new LogFollower(rt, {
      name: 'sticky events',
      // State changes of any room matter while an event is soft-failed.
      concerns: (hint) => this.#hasSoftFailed || hint.topics.has(topics.stickyEvents),
      follow: (_, term) => this.#follow(term),
    })
  }

  /** Resolves when nothing is to be done now. */
  settled(): Promise<void> {
    return this.#follower.settled()
  }

  /** Finishes the event under way. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  /** Returns in how many milliseconds the next stickiness ends. */
  async #follow(term: AbortSignal): Promise<number | undefined> {
    await this.#dropEnded(term)
    await this.#judgeAgain(term)
    const next = await nextStickyEndTs(this.#rt.db.read)
    if (next === undefined) return undefined
    return Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, next - this.#rt.clock.now()))
  }

  async #dropEnded(term: AbortSignal): Promise<void> {
    const { db, clock } = this.#rt
    while (!term.aborted) {
      const now = clock.now()
      const next = await nextStickyEndTs(db.read)
      if (next === undefined || next > now) return
      await db.write((tx) => dropEndedStickiness(tx, now, ROWS_A_UNIT))
    }
  }

  async #judgeAgain(term: AbortSignal): Promise<void> {
    const { db, clock } = this.#rt
    const waiting = await softFailedStickyEvents(db.read, clock.now(), MAX_JUDGED)
    this.#hasSoftFailed = waiting.length > 0
    const judged = new Map<number, number>()
    for (const { nid, roomId } of waiting) {
      if (term.aborted) return
      const root = (await cachedRoom(db.read, roomId))?.stateRoot
      if (root === undefined) continue
      if (this.#judged.get(nid) !== root) await db.write((tx) => acceptSoftFailed(tx, roomId, nid))
      judged.set(nid, root)
    }
    this.#judged = judged
  }
}
