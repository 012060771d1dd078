// SPDX-License-Identifier: Apache-2.0
import { AsyncLocalStorage } from 'node:async_hooks'

/** A change: its log position, and its topics (room IDs, user IDs; `*` for all). */
export interface Hint {
  readonly position: number
  readonly topics: ReadonlySet<string>
}

/** Receives the topics of a hint that a waiter waits for. */
export type Wake = (topic: string) => void

/** Delivers hints to waiters. A hint carries no content: losing one costs latency, never correctness. */
export class Bus {
  // A single waiter for a topic is stored without a set: a user's own topic mostly has one.
  readonly #byTopic = new Map<string, Wake | Set<Wake>>()
  readonly #listeners = new Set<(hint: Hint) => void>()
  // Work that a hint starts does not belong to the request that caused it: the log fields of the request end here.
  readonly #inOwnContext = AsyncLocalStorage.snapshot()

  /** Wakes all waiters for one of the hint's topics. */
  announce(hint: Hint): void {
    this.#inOwnContext(() => this.#call(hint))
  }

  #call(hint: Hint): void {
    const isForAll = hint.topics.has('*')
    for (const topic of isForAll ? this.#byTopic.keys() : hint.topics) {
      const waiting = this.#byTopic.get(topic)
      const hint = isForAll ? '*' : topic
      if (typeof waiting === 'function') waiting(hint)
      else if (waiting) for (const wake of waiting) wake(hint)
    }
    for (const listener of this.#listeners) listener(hint)
  }

  /** Calls `wake` for every hint with one of these topics until the returned function is called. */
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

  /** The number of topics with a waiter. */
  get topics(): number {
    return this.#byTopic.size
  }

  /** Subscribes a log follower to every hint. */
  listen(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
