// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { JsonObject } from '@myelin/matrix/json'

interface Kept {
  readonly answer: Promise<JsonObject>
  until: number
}

// Who does not answer is not asked again at once.
const FAILURE_MS = 10_000

/** What other servers answered a short while ago, so that the same is not asked twice; failures are kept too, for less. */
export class RecentAnswers {
  readonly #kept: Cache<string, Kept>

  constructor(capacity = 1000) {
    this.#kept = new Cache(capacity)
  }

  /** The answer under a key, asked for where there is none younger than `keepMs`; who asks at the same time shares it. */
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
