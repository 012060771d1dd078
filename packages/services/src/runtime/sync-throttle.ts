// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { Clock } from '@myelin/kit/clock'
import { idleLoop } from '@myelin/kit/loop-load'
import type { LoopLoad } from '@myelin/kit/loop-load'

/** One device of one user. */
export interface Device {
  readonly userId: string
  readonly deviceId: string
}

const MIN_MS = 20
const MAX_MS = 500
const MS_PER_WAITER = 2
// The share of the event loop's time above which it counts as busy; a loop that is never idle makes clients wait this
// many times as long.
const BUSY = 0.7
const MAX_PATIENCE = 4

/**
 * Limits the number of sync answers in busy rooms, which would be one per event and client.
 *
 * The first event after a pause is delivered at once. A device that was just answered is answered again a little
 * later, with everything that arrived in the meantime: after 20 ms on an idle server, up to half a second with
 * hundreds of waiting clients. On an overloaded server requests that a user waits for come first, and the delay grows
 * up to four times, still half a second at the most.
 */
export class SyncThrottle {
  readonly #clock: Clock
  readonly #load: LoopLoad
  readonly #answered = new Cache<string, number>(200_000)
  #waiting = 0

  constructor(clock: Clock, load: LoopLoad = idleLoop) {
    this.#clock = clock
    this.#load = load
  }

  /** Returns the number of waiting clients. */
  get waiting(): number {
    return this.#waiting
  }

  /** Records a waiting client; call the returned function when it no longer waits. */
  enter(): () => void {
    this.#waiting++
    return () => this.#waiting--
  }

  /** Resolves when a device may be answered again. */
  async turnOf(device: Device): Promise<void> {
    const patience = 1 + ((MAX_PATIENCE - 1) * Math.max(0, this.#load.share() - BUSY)) / (1 - BUSY)
    const intervalMs = Math.min(MAX_MS, Math.max(MIN_MS, this.#waiting * MS_PER_WAITER) * patience)
    const last = this.#answered.get(nameOf(device))
    const remainingMs = last === undefined ? 0 : last + intervalMs - this.#clock.now()
    if (remainingMs <= 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#clock.later(remainingMs, resolve)
    await promise
  }

  /** Records an answer to a device. */
  answer(device: Device): void {
    this.#answered.set(nameOf(device), this.#clock.now())
  }
}

const nameOf = ({ userId, deviceId }: Device) => `${userId} ${deviceId}`
