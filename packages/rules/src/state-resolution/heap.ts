// SPDX-License-Identifier: Apache-2.0
/** A binary heap that returns the smallest item first. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #compare: (a: T, b: T) => number

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  /** Adds an item. */
  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = items[above] as T
      if (this.#compare(parent, item) <= 0) break
      items[at] = parent
      at = above
    }
    items[at] = item
  }

  /** Removes and returns the smallest item; undefined when there is none. */
  pop(): T | undefined {
    const items = this.#items
    const smallest = items[0]
    const last = items.pop()
    if (last !== undefined && items.length > 0) this.#sink(last)
    return smallest
  }

  #sink(item: T): void {
    const items = this.#items
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= items.length) break
      const right = below + 1
      if (right < items.length && this.#compare(items[right] as T, items[below] as T) < 0) below = right
      const child = items[below] as T
      if (this.#compare(item, child) <= 0) break
      items[at] = child
      at = below
    }
    items[at] = item
  }
}
