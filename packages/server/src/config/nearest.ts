// SPDX-License-Identifier: Apache-2.0

/** Returns the word most similar to `wrong`, if one is similar enough for a typing error. */
export function nearestOf(wrong: string, words: Iterable<string>): string | undefined {
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(wrong.length / 3)) + 1
  for (const word of words) {
    const slips = slipsBetween(wrong, word)
    if (slips < fewest) [best, fewest] = [word, slips]
  }
  return best
}

/** Returns the edit distance of two words: insertions, deletions, substitutions and swaps of neighboring letters. */
export function slipsBetween(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const next = [row]
    for (let column = 1; column <= to.length; column++) {
      const change = from[row - 1] === to[column - 1] ? 0 : 1
      const isSwapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swap = isSwapped ? beforeLast[column - 2]! + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + change, swap))
    }
    beforeLast = last
    last = next
  }
  return last.at(-1)!
}
