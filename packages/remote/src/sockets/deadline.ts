// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer } from '@myelin/kit/clock'
import { RemoteError } from '../remote-error.ts'

/** The end of one exchange: by the clock, or because its caller does not want it any more. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #timer: Timer
  readonly #outer: AbortSignal | undefined
  readonly #stop = (): void => {
    this.#timer.cancel()
    this.#controller.abort(new RemoteError('unreachable', 'nobody waits for the answer'))
  }

  constructor(clock: Pick<Clock, 'later'>, timeoutMs: number, outer?: AbortSignal) {
    const late = (): void => this.#controller.abort(new RemoteError('unreachable', `no answer within ${timeoutMs} ms`))
    this.#timer = clock.later(timeoutMs, late)
    this.#outer = outer
    if (outer?.aborted === true) this.#stop()
    outer?.addEventListener('abort', this.#stop, { once: true })
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What `work` answers, unless the time is over first. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(this.signal.reason as Error)
      if (this.signal.aborted) late()
      this.signal.addEventListener('abort', late, { once: true })
      void work.then(resolve, reject).finally(() => this.signal.removeEventListener('abort', late))
    })
  }

  /** The exchange is over; nothing will be aborted any more. */
  end(): void {
    this.#timer.cancel()
    this.#outer?.removeEventListener('abort', this.#stop)
  }
}
