// SPDX-License-Identifier: Apache-2.0

/** A fixed number of places; who comes when all are taken waits their turn. */
export class Slots {
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  /** Waits for a place and takes it until the function is called that it answers; rejects if the signal is first. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free === 0) await this.#turn(signal)
    else this.#free--
    let isTaken = true
    return () => {
      if (isTaken) this.#giveBack()
      isTaken = false
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(mine)
        reject(signal.reason as Error)
      }
      const mine = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      this.#waiting.add(mine)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #giveBack(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      return next()
    }
    this.#free++
  }
}
