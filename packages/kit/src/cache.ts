// SPDX-License-Identifier: Apache-2.0

/**
 * A bounded cache of things that never change under their key.
 *
 * It holds two generations: what was put in or asked for lately, and what was before. When the newer one is half the
 * capacity, the older one goes, and the newer one is the older one. So whatever is among the last `capacity / 2` different
 * keys is there, and a hit among them costs one lookup: nothing is moved about, as a list in the order of use would need.
 */
export class Cache<Key, Value> {
  #newer = new Map<Key, Value>()
  #older = new Map<Key, Value>()
  readonly #half: number
  hits = 0
  misses = 0

  /** At most so many entries are kept; two at the least. */
  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2))
  }

  /** What is kept under a key. */
  get(key: Key): Value | undefined {
    let value = this.#newer.get(key)
    if (value === undefined) {
      value = this.#older.get(key)
      if (value === undefined) {
        this.misses++
        return undefined
      }
      this.#older.delete(key)
      this.#put(key, value)
    }
    this.hits++
    return value
  }

  /** Keeps a value, and lets the oldest go when full. */
  set(key: Key, value: Value): void {
    this.#older.delete(key)
    this.#put(key, value)
  }

  /** Forgets a key. */
  delete(key: Key): void {
    this.#newer.delete(key)
    this.#older.delete(key)
  }

  /** Forgets everything. */
  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }

  /** How many entries are kept. */
  get size(): number {
    return this.#newer.size + this.#older.size
  }

  #put(key: Key, value: Value): void {
    if (this.#newer.size >= this.#half && !this.#newer.has(key)) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(key, value)
  }
}
