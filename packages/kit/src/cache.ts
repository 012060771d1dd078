// SPDX-License-Identifier: Apache-2.0

/**
 * A bounded cache of values that never change under their key.
 *
 * It has two generations. When the newer one holds half the capacity, the older one is dropped and the newer one
 * becomes the older. So the last `capacity / 2` distinct keys are always cached, and a hit among them costs one lookup;
 * a list in order of use would move entries.
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

  /** Returns the value of a key. */
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

  /** Deletes a key. */
  delete(key: Key): void {
    this.#newer.delete(key)
    this.#older.delete(key)
  }

  /** Deletes all keys. */
  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }

  /** The number of entries. */
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
