// SPDX-License-Identifier: Apache-2.0
import { AsyncLocalStorage } from 'node:async_hooks'

/** Says that something moved: up to which position, and for whom (room ids, user ids; `*` for everybody). */
export interface Hint {
  readonly position: number
  readonly topics: ReadonlySet<string>
}

/** Is told which of its topics moved. */
export type Wake = (topic: string) => void

/** Wakes who waits. It carries hints, never content: a lost hint costs latency, never correctness. */
export class Bus {
  // Who waits for a topic alone stands there without a set: each user's own topic has mostly one waiter.
  readonly #byTopic = new Map<string, Wake | Set<Wake>>()
  readonly #listeners = new Set<(hint: Hint) => void>()
  // What a hint starts does not belong to the request that caused it: the request's log fields end here.
  readonly #inOwnContext = AsyncLocalStorage.snapshot()

  /** Wakes everybody who waits for one of the hint's topics. */
  announce(hint: Hint): void {
    this.#inOwnContext(() => this.#call(hint))
  }

  #call(hint: Hint): void {
    const isForAll = hint.topics.has('*')
    for (const topic of isForAll ? this.#byTopic.keys() : hint.topics) {
      const waiting = this.#byTopic.get(topic)
      const told = isForAll ? '*' : topic
      if (typeof waiting === 'function') waiting(told)
      else if (waiting) for (const wake of waiting) wake(told)
    }
    for (const listener of this.#listeners) listener(hint)
  }

  /** Calls `wake` at every hint about one of these topics, until the returned function is called. */
  wait(topics: Iterable<string>, wake: Wake): () => void {
    const mine = [...topics]
    for (const topic of mine) this.#add(topic, wake)
    return () => {
      for (const topic of mine) this.#remove(topic, wake)
    }
  }

  #add(topic: string, wake: Wake): void {
    const waiting = this.#byTopic.get(topic)
    if (waiting === undefined) this.#byTopic.set(topic, wake)
    else if (typeof waiting !== 'function') waiting.add(wake)
    else if (waiting !== wake) this.#byTopic.set(topic, new Set([waiting, wake]))
  }

  #remove(topic: string, wake: Wake): void {
    const waiting = this.#byTopic.get(topic)
    if (waiting === wake) this.#byTopic.delete(topic)
    else if (typeof waiting === 'object' && waiting.delete(wake) && waiting.size === 0) this.#byTopic.delete(topic)
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
