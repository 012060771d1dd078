// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply } from 'fastify'

/** Creates the signals that abort handlers, after the connection has closed or when the server shuts down. */
export class DisconnectSignals {
  readonly #pending = new Set<AbortController>()
  #isShuttingDown = false

  /**
   * Returns a signal for one request, aborted when its connection closes before the reply is sent, or when the server shuts
   * down. It takes one controller and one listener, since every waiting client has one: `AbortSignal.any` would take several
   * times the memory.
   */
  signalOf(reply: Pick<FastifyReply, 'raw'>): AbortSignal {
    const controller = new AbortController()
    if (this.#isShuttingDown || reply.raw.destroyed) controller.abort()
    else {
      this.#pending.add(controller)
      // The event fires once; `once` would allocate two more objects.
      reply.raw.on('close', () => {
        this.#pending.delete(controller)
        if (!reply.raw.writableFinished) controller.abort()
      })
    }
    return controller.signal
  }

  /** Aborts all signals, and those that are requested from here on: the server shuts down. */
  abort(): void {
    this.#isShuttingDown = true
    for (const controller of this.#pending) controller.abort()
    this.#pending.clear()
  }
}
