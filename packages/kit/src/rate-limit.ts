// SPDX-License-Identifier: Apache-2.0
import type { Clock } from './clock.ts'
import type { RateLimit } from './settings.ts'

/** The longest wait that is reported, for buckets that never refill: one hour. */
const MAX_WAIT_MS = 3_600_000

interface Bucket {
  readonly tokens: number
  readonly at: number
}

/**
 * A token bucket per key: `burstCount` requests at once, then `perSecond` of them.
 *
 * Only the `maxKeys` most recently seen keys are remembered. The one forgotten is
 * the one that had the longest time to refill, so forgetting gives away least.
 */
export class RateLimiter {
  readonly #clock: Pick<Clock, 'now'>
  readonly #limit: RateLimit
  readonly #maxKeys: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Pick<Clock, 'now'>, limit: RateLimit, maxKeys = 50_000) {
    this.#clock = clock
    this.#limit = limit
    this.#maxKeys = maxKeys
  }

  /** Takes one token and returns 0, or takes none and returns for how many milliseconds there will be none. */
  take(key: string): number {
    const tokens = this.#tokensOf(key)
    if (tokens < 1) return this.#waitFor(tokens)
    this.#keep(key, tokens - 1)
    return 0
  }

  /** Returns the result of {@link take} without taking a token, for actions that count only when they fail. */
  peek(key: string): number {
    const tokens = this.#tokensOf(key)
    return tokens < 1 ? this.#waitFor(tokens) : 0
  }

  /** Takes the tokens that an action cost, even if the bucket has fewer; the debt is refilled first. */
  spend(key: string, count: number): void {
    this.#keep(key, this.#tokensOf(key) - count)
  }

  #tokensOf(key: string): number {
    const { perSecond, burstCount } = this.#limit
    const bucket = this.#buckets.get(key)
    if (!bucket) return burstCount
    const elapsedMs = Math.max(0, this.#clock.now() - bucket.at)
    return Math.min(burstCount, bucket.tokens + (elapsedMs * perSecond) / 1000)
  }

  #waitFor(tokens: number): number {
    return Math.min(MAX_WAIT_MS, Math.ceil(((1 - tokens) * 1000) / this.#limit.perSecond))
  }

  #keep(key: string, tokens: number): void {
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens, at: this.#clock.now() })
    if (this.#buckets.size <= this.#maxKeys) return
    const [oldest] = this.#buckets.keys()
    this.#buckets.delete(oldest!)
  }
}
