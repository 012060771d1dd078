// SPDX-License-Identifier: Apache-2.0

/** A bounded cache of things that never change under their key; the least recently used goes first. */
export class Cache<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #capacity: number
  hits = 0
  misses = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** What is kept under a key. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) {
      this.misses++
      return undefined
    }
    this.hits++
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  /** Keeps a value, and lets the oldest go when full. */
  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#capacity) {
      const oldest = this.#entries.keys().next()
      if (!oldest.done) this.#entries.delete(oldest.value)
    }
  }

  /** Forgets a key. */
  delete(key: Key): void {
    this.#entries.delete(key)
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries.clear()
  }

  /** How many entries are kept. */
  get size(): number {
    return this.#entries.size
  }
}
