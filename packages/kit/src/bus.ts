// SPDX-License-Identifier: Apache-2.0

/** Says that something moved: up to which position, and for whom (room ids, user ids; `*` for everybody). */
export interface Hint {
  readonly position: number
  readonly topics: ReadonlySet<string>
}

/** Is told which of its topics moved. */
export type Wake = (topic: string) => void

/** Wakes who waits. It carries hints, never content: a lost hint costs latency, never correctness. */
export class Bus {
  readonly #byTopic = new Map<string, Set<Wake>>()
  readonly #listeners = new Set<(hint: Hint) => void>()

  /** Wakes everybody who waits for one of the hint's topics. */
  announce(hint: Hint): void {
    const isForAll = hint.topics.has('*')
    for (const topic of isForAll ? this.#byTopic.keys() : hint.topics) {
      for (const wake of this.#byTopic.get(topic) ?? []) wake(isForAll ? '*' : topic)
    }
    for (const listener of this.#listeners) listener(hint)
  }

  /** Calls `wake` at every hint about one of these topics, until the returned function is called. */
  wait(topics: Iterable<string>, wake: Wake): () => void {
    const mine = [...topics]
    for (const topic of mine) {
      const waiting = this.#byTopic.get(topic)
      if (waiting) waiting.add(wake)
      else this.#byTopic.set(topic, new Set([wake]))
    }
    return () => {
      for (const topic of mine) {
        const waiting = this.#byTopic.get(topic)
        waiting?.delete(wake)
        if (waiting?.size === 0) this.#byTopic.delete(topic)
      }
    }
  }

  /** How many topics somebody waits for. */
  get topics(): number {
    return this.#byTopic.size
  }

  /** Hears every hint: readers of the log. */
  listen(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
