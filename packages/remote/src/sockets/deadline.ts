// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer } from '@myelin/kit/clock'
import { RemoteError } from '../remote-error.ts'

/** The deadline of one exchange: its timeout, or its cancellation by the caller. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #timer: Timer
  readonly #outer: AbortSignal | undefined
  readonly #stop = (): void => {
    this.#timer.cancel()
    this.#controller.abort(new RemoteError('unreachable', 'the request was cancelled'))
  }

  constructor(clock: Pick<Clock, 'later'>, timeoutMs: number, outer?: AbortSignal) {
    const late = (): void => this.#controller.abort(new RemoteError('unreachable', `no answer within ${timeoutMs} ms`))
    this.#timer = clock.later(timeoutMs, late)
    this.#outer = outer
    if (outer?.aborted === true) this.#stop()
    outer?.addEventListener('abort', this.#stop, { once: true })
  }

  /** The signal that aborts at the deadline. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Returns the result of `work`, or rejects at the deadline. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(this.signal.reason as Error)
      if (this.signal.aborted) late()
      this.signal.addEventListener('abort', late, { once: true })
      void work.then(resolve, reject).finally(() => this.signal.removeEventListener('abort', late))
    })
  }

  /** Ends the deadline; nothing is aborted from then on. */
  end(): void {
    this.#timer.cancel()
    this.#outer?.removeEventListener('abort', this.#stop)
  }
}
