// SPDX-License-Identifier: Apache-2.0

/** Too many wait under one name. */
export class TooManyWaiting extends Error {
  override readonly name = 'TooManyWaiting'
}

type Waiting = { readonly go: () => void }

/** Lets one task run at a time. Names that wait take turns, whatever each of them has waiting; within a name they go in order. */
export class FairTurns {
  readonly #mostOfOne: number
  /** The names that wait, the next first. */
  readonly #waiting = new Map<string, Waiting[]>()
  #isBusy = false

  constructor(mostOfOne: number) {
    this.#mostOfOne = mostOfOne
  }

  /** Runs a task when it is its turn; rejects with {@link TooManyWaiting} where too many of its name wait. */
  async run<T>(name: string, task: () => Promise<T>): Promise<T> {
    if (this.#isBusy) await this.#turn(name)
    this.#isBusy = true
    try {
      return await task()
    } finally {
      this.#next()
    }
  }

  #turn(name: string): Promise<void> {
    const list = this.#waiting.get(name) ?? []
    if (list.length >= this.#mostOfOne) throw new TooManyWaiting(`${list.length} tasks wait for ${name}`)
    return new Promise((go) => {
      list.push({ go })
      this.#waiting.set(name, list)
    })
  }

  /** Nobody who comes now goes before who waits: it stays busy in between. */
  #next(): void {
    for (const [name, list] of this.#waiting) {
      const next = list.shift()
      // Whoever has more waits behind all others.
      this.#waiting.delete(name)
      if (list.length > 0) this.#waiting.set(name, list)
      if (next) return next.go()
    }
    this.#isBusy = false
  }
}
