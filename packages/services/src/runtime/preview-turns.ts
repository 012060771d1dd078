// SPDX-License-Identifier: Apache-2.0
import { Semaphore } from '@myelin/kit/semaphore'
import { MatrixError } from '@myelin/matrix/errors'

/** The most previews that are made at a time; each may hold a page of 2 MiB. */
const MAX_AT_ONCE = 8
const MAX_WAITING = 200

/** Limits how many previews are made at a time, and shares the work between requests for the same URL. */
export class PreviewTurns {
  readonly #turns = new Semaphore(MAX_AT_ONCE)
  readonly #underWay = new Map<string, Promise<unknown>>()

  /**
   * Joins the work in progress for a URL, or runs it in its turn; throws `M_LIMIT_EXCEEDED` where too many wait. All work for
   * one URL has the same type of result.
   */
  share<T>(url: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(url)
    if (underWay) return underWay as Promise<T>
    if (this.#turns.waiting >= MAX_WAITING) {
      const extra = { retry_after_ms: 5000 }
      return Promise.reject(new MatrixError('M_LIMIT_EXCEEDED', 'too many previews are being made', { extra }))
    }
    const made = this.#turns.run(work).finally(() => this.#underWay.delete(url))
    this.#underWay.set(url, made)
    return made
  }
}
