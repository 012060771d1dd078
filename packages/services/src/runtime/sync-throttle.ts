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
// A loop with work for more than this part of its time is busy; one that is never idle makes clients wait so many times as long.
const BUSY = 0.7
const MOST_PATIENCE = 4

/**
 * Keeps a busy room from costing an answer per event and client.
 *
 * The first event after a pause goes out at once. A device that was answered a moment ago is answered again a little
 * later, with everything that came meanwhile: 20 ms on an idle server, up to half a second with hundreds waiting. When the
 * server has more to do than it can, requests that somebody stands before come first, and this takes up to four times as
 * long, still half a second at the most.
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

  /** How many clients wait. */
  get waiting(): number {
    return this.#waiting
  }

  /** A client waits; call the returned function when it no longer does. */
  enter(): () => void {
    this.#waiting++
    return () => this.#waiting--
  }

  /** Returns when a device may be answered again. */
  async turnOf(device: Device): Promise<void> {
    const patience = 1 + ((MOST_PATIENCE - 1) * Math.max(0, this.#load.share() - BUSY)) / (1 - BUSY)
    const intervalMs = Math.min(MAX_MS, Math.max(MIN_MS, this.#waiting * MS_PER_WAITER) * patience)
    const last = this.#answered.get(nameOf(device))
    const remainingMs = last === undefined ? 0 : last + intervalMs - this.#clock.now()
    if (remainingMs <= 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#clock.later(remainingMs, resolve)
    await promise
  }

  /** A device is being answered. */
  answer(device: Device): void {
    this.#answered.set(nameOf(device), this.#clock.now())
  }
}

const nameOf = ({ userId, deviceId }: Device) => `${userId} ${deviceId}`
