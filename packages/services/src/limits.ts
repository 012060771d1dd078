// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@myelin/kit/clock'
import { RateLimiter } from '@myelin/kit/rate-limit'
import type { RateLimits } from '@myelin/kit/settings'
import { MatrixError } from '@myelin/matrix/errors'

/** What is counted, each by its own key. */
export type LimitName =
  | 'message'
  | 'registration'
  | 'loginAddress'
  | 'loginAccount'
  | 'loginFailed'
  | 'joinLocal'
  | 'joinRemote'
  | 'invitePerRoom'
  | 'invitePerUser'
  | 'presence'

/** The house's rate limits, in memory. */
export class Limits {
  readonly #limiters: Readonly<Record<LimitName, RateLimiter>>

  constructor(clock: Clock, { message, registration, login, joins, invites, presence }: RateLimits) {
    this.#limiters = {
      message: new RateLimiter(clock, message),
      registration: new RateLimiter(clock, registration),
      loginAddress: new RateLimiter(clock, login.address),
      loginAccount: new RateLimiter(clock, login.account),
      loginFailed: new RateLimiter(clock, login.failedAttempts),
      joinLocal: new RateLimiter(clock, joins.local),
      joinRemote: new RateLimiter(clock, joins.remote),
      invitePerRoom: new RateLimiter(clock, invites.perRoom),
      invitePerUser: new RateLimiter(clock, invites.perUser),
      presence: new RateLimiter(clock, presence),
    }
  }

  /** Counts one; throws `M_LIMIT_EXCEEDED` with `retry_after_ms` when the bucket is empty. */
  take(name: LimitName, key: string): void {
    refuseFor(this.#limiters[name].take(key))
  }

  /** Throws like {@link take} when the bucket is empty, without counting. */
  check(name: LimitName, key: string): void {
    refuseFor(this.#limiters[name].peek(key))
  }
}

function refuseFor(retryAfterMs: number): void {
  if (retryAfterMs > 0) {
    throw new MatrixError('M_LIMIT_EXCEEDED', 'too many requests', {
      extra: { retry_after_ms: Math.ceil(retryAfterMs) },
    })
  }
}
