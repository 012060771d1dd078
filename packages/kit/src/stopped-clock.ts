// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer } from './clock.ts'

interface Due {
  readonly at: number
  readonly task: () => void
}

/** A clock for tests. It moves in {@link advance} and {@link jump} only, which run due timers in their order. */
export class StoppedClock implements Clock {
  #now: number
  readonly #timers = new Set<Due>()

  constructor(now = 1_700_000_000_000) {
    this.#now = now
  }

  /** The number of pending timers. */
  get waiting(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  later(delayMs: number, task: () => void): Timer {
    const due = { at: this.#now + Math.max(0, delayMs), task }
    this.#timers.add(due)
    return { cancel: () => void this.#timers.delete(due) }
  }

  /** Moves the time forward, running every timer on the way at its own time, those set on the way too. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (let next = this.#next(); next && next.at <= until; next = this.#next()) {
      this.#timers.delete(next)
      this.#now = next.at
      next.task()
    }
    this.#now = until
  }

  /**
   * Moves the time forward at once, as if the machine had been suspended: each timer that is due by then runs once, at the new
   * time. Repeating timers make {@link advance} slow over hours and days.
   */
  jump(ms: number): void {
    this.#now += ms
    const due = [...this.#timers].filter(({ at }) => at <= this.#now).toSorted((a, b) => a.at - b.at)
    for (const timer of due) if (this.#timers.delete(timer)) timer.task()
  }

  /** The earliest timer; of two at one time, the one set first. */
  #next(): Due | undefined {
    let earliest: Due | undefined
    for (const due of this.#timers) if (!earliest || due.at < earliest.at) earliest = due
    return earliest
  }
}
