// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.ts'
import { Semaphore } from './semaphore.ts'
import type { HostLimit } from './settings.ts'

/** From this many hosts on, those are forgotten that sent nothing for a window. */
const MAX_HOSTS = 10_000

interface Host {
  /** The times of its requests in the last window, in ms. */
  times: number[]
  /** The number of its requests that are delayed by the limit of the window. */
  delayed: number
  readonly semaphore: Semaphore
}

/**
 * Limits the concurrent requests of each host, and delays its requests where there were many within a window. Hosts do
 * not wait for each other. Its settings mean what `rc_federation` of Synapse means.
 */
export class HostThrottle {
  readonly #clock: Clock
  readonly #limit: HostLimit
  readonly #hosts = new Map<string, Host>()

  constructor(clock: Clock, limit: HostLimit) {
    this.#clock = clock
    this.#limit = limit
  }

  /**
   * Returns a promise of a permit: a function that gives it back. Where too many requests of the host wait, returns the
   * milliseconds after which the host may try again instead.
   */
  take(name: string): Promise<() => void> | number {
    const host = this.#hostOf(name)
    const { windowMs, sleepLimit, rejectLimit } = this.#limit
    const now = this.#clock.now()
    host.times = host.times.filter((time) => now - time < windowMs)
    if (host.delayed + host.semaphore.waiting >= rejectLimit) return Math.ceil(windowMs / Math.max(1, sleepLimit))
    host.times.push(now)
    return this.#permit(host)
  }

  async #permit(host: Host): Promise<() => void> {
    if (host.times.length > this.#limit.sleepLimit) {
      host.delayed++
      await new Promise<void>((resolve) => this.#clock.later(this.#limit.sleepDelayMs, resolve))
      host.delayed--
    }
    return host.semaphore.acquire()
  }

  #hostOf(name: string): Host {
    const known = this.#hosts.get(name)
    if (known) return known
    if (this.#hosts.size >= MAX_HOSTS) this.#forgetQuiet()
    const host: Host = { times: [], delayed: 0, semaphore: new Semaphore(this.#limit.concurrent) }
    this.#hosts.set(name, host)
    return host
  }

  #forgetQuiet(): void {
    const floor = this.#clock.now() - this.#limit.windowMs
    for (const [name, { times, delayed, semaphore }] of this.#hosts) {
      if (semaphore.isIdle && delayed === 0 && (times.at(-1) ?? 0) <= floor) this.#hosts.delete(name)
    }
  }
}
