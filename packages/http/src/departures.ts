// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply } from 'fastify'

/** Tells handlers that nobody waits for their answer any more: the caller went away, or the house closes. */
export class Departures {
  readonly #waiting = new Set<AbortController>()
  #isClosing = false

  /**
   * A signal for one request, aborted when its connection ends before the answer, or when the house closes. One controller
   * and one listener, since there is one for each client that waits: `AbortSignal.any` would take several times the memory.
   */
  signalOf(reply: Pick<FastifyReply, 'raw'>): AbortSignal {
    const controller = new AbortController()
    if (this.#isClosing || reply.raw.destroyed) controller.abort()
    else {
      this.#waiting.add(controller)
      // It is closed once; `once` would keep two objects more.
      reply.raw.on('close', () => {
        this.#waiting.delete(controller)
        if (!reply.raw.writableFinished) controller.abort()
      })
    }
    return controller.signal
  }

  /** The house closes: aborts all signals, and those that are still asked for. */
  abort(): void {
    this.#isClosing = true
    for (const controller of this.#waiting) controller.abort()
    this.#waiting.clear()
  }
}
