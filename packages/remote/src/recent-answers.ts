// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { JsonObject } from '@myelin/matrix/json'

interface Kept {
  readonly answer: Promise<JsonObject>
  until: number
}

// The lifetime of cached failures, so that an unreachable server is not queried again at once.
const FAILURE_MS = 10_000

/** A cache of other servers' recent answers; failures are cached too, for a shorter time. */
export class RecentAnswers {
  readonly #kept: Cache<string, Kept>

  constructor(capacity = 1000) {
    this.#kept = new Cache(capacity)
  }

  /**
   * Returns the answer under a key, requested where none is younger than `keepMs`; concurrent callers share the
   * request.
   */
  async get(key: string, now: number, keepMs: number, ask: () => Promise<JsonObject>): Promise<JsonObject> {
    const kept = this.#kept.get(key)
    if (kept && kept.until > now) return kept.answer
    const asked: Kept = { answer: ask(), until: now + keepMs }
    this.#kept.set(key, asked)
    try {
      return await asked.answer
    } catch (cause) {
      asked.until = Math.min(asked.until, now + FAILURE_MS)
      throw cause
    }
  }
}
