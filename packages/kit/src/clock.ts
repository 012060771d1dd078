// SPDX-License-Identifier: Apache-2.0

/** A timer that was set with {@link Clock.later}. */
export interface Timer {
  /** Makes sure the task does not run; harmless when it already has. */
  cancel(): void
}

/** The only source of time: whoever holds one says what time it is, and a test can hold it still. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `task` once, `delayMs` from now. */
  later(delayMs: number, task: () => void): Timer
}

/** Node reads a longer delay as "at once". */
const LONGEST_DELAY_MS = 2 ** 31 - 1

/** The machine's own clock; a delay may be as long as it likes. */
export const systemClock: Clock = {
  now: () => Date.now(),

  later(delayMs, task) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      const stepMs = Math.min(leftMs, LONGEST_DELAY_MS)
      timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : task()), stepMs)
    }
    wait(delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
