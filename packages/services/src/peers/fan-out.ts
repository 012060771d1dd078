// SPDX-License-Identifier: Apache-2.0

/** Runs a task for each item of a list with limited concurrency, and returns when all are done. */
export async function fanOut<Item>(
  items: Iterable<Item>,
  atOnce: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  // All workers share one iterator, so each item is processed once.
  const rest = items[Symbol.iterator]()
  const work = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await task(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}
