// SPDX-License-Identifier: Apache-2.0

/** A timer that was set with {@link Clock.later}. */
export interface Timer {
  /** Makes sure the task does not run; harmless when it already has. */
  cancel(): void
}

/** The only source of time, so that a test can stop it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `task` once, `delayMs` from now. */
  later(delayMs: number, task: () => void): Timer
}

/** Node reads a longer delay as "at once". */
const MAX_DELAY_MS = 2 ** 31 - 1

/** The machine's own clock; a delay may be as long as it likes. */
export const systemClock: Clock = {
  now: () => Date.now(),
  later: (delayMs, task) => new SystemTimer(delayMs, task),
}

/** One of Node's timers, or several in a row; a server has one for each client that waits, so it is little more than that. */
class SystemTimer implements Timer {
  #timeout: NodeJS.Timeout

  constructor(delayMs: number, task: () => void) {
    this.#timeout = this.#wait(delayMs, task)
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  #wait(leftMs: number, task: () => void): NodeJS.Timeout {
    if (leftMs <= MAX_DELAY_MS) return setTimeout(task, leftMs)
    const next = () => void (this.#timeout = this.#wait(leftMs - MAX_DELAY_MS, task))
    return setTimeout(next, MAX_DELAY_MS)
  }
}
