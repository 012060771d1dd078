// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.ts'
import type { HostLimit } from './settings.ts'

/** A host is forgotten when so many are known and it has been quiet for a window. */
const MANY_HOSTS = 10_000

interface Host {
  /** When its requests of the last window came. */
  times: number[]
  running: number
  /** How many are held up because there were many in the window. */
  sleeping: number
  /** Those that wait for one of the same host to end. */
  readonly waiting: (() => void)[]
}

/**
 * Lets only some requests of one host run at a time and holds the next up once there were many within a window; hosts do
 * not wait for each other. Means what Synapse means by `rc_federation`.
 */
export class HostTurns {
  readonly #clock: Clock
  readonly #limit: HostLimit
  readonly #hosts = new Map<string, Host>()

  constructor(clock: Clock, limit: HostLimit) {
    this.#clock = clock
    this.#limit = limit
  }

  /**
   * Resolves with what ends the turn when it is the request's turn. Where too many of the host wait already, answers after
   * how many milliseconds to come again instead.
   */
  take(name: string): Promise<() => void> | number {
    const host = this.#hostOf(name)
    const { windowMs, sleepLimit, rejectLimit } = this.#limit
    const now = this.#clock.now()
    host.times = host.times.filter((time) => now - time < windowMs)
    if (host.sleeping + host.waiting.length >= rejectLimit) return Math.ceil(windowMs / Math.max(1, sleepLimit))
    host.times.push(now)
    return this.#turn(host)
  }

  async #turn(host: Host): Promise<() => void> {
    if (host.times.length > this.#limit.sleepLimit) {
      host.sleeping++
      await new Promise<void>((resolve) => this.#clock.later(this.#limit.sleepDelayMs, resolve))
      host.sleeping--
    }
    if (host.running >= this.#limit.concurrent) await new Promise<void>((resolve) => host.waiting.push(resolve))
    else host.running++
    return () => {
      const next = host.waiting.shift()
      if (next) next()
      else host.running--
    }
  }

  #hostOf(name: string): Host {
    const known = this.#hosts.get(name)
    if (known) return known
    if (this.#hosts.size >= MANY_HOSTS) this.#forgetQuiet()
    const host: Host = { times: [], running: 0, sleeping: 0, waiting: [] }
    this.#hosts.set(name, host)
    return host
  }

  #forgetQuiet(): void {
    const floor = this.#clock.now() - this.#limit.windowMs
    for (const [name, { times, running, sleeping }] of this.#hosts) {
      if (running + sleeping === 0 && (times.at(-1) ?? 0) <= floor) this.#hosts.delete(name)
    }
  }
}
