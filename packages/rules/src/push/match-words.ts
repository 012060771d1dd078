// SPDX-License-Identifier: Apache-2.0
/**
 * Returns whether a glob matches a part of a text that starts and ends at a word boundary. Both must be in the same
 * case already.
 *
 * The parts between the stars are searched one after the other, at their earliest position: at worst the product of
 * the two lengths.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#conditions
 */
export function matchWords(glob: string, text: string): boolean {
  const parts = glob.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return find(first, text, 0, true, true) !== -1

  let at = find(first, text, 0, true, false)
  for (const part of parts.slice(1, -1)) {
    if (at === -1) return false
    at = find(part, text, at, false, false)
  }
  return at !== -1 && find(last, text, at, false, true) !== -1
}

/** Returns whether a text contains another, from word boundary to word boundary. */
export function includesWords(words: string, text: string): boolean {
  for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + 1)) {
    if (isBoundary(text, at) && isBoundary(text, at + words.length)) return true
  }
  return false
}

/** Returns the end of the first occurrence of a part, -1 without one. */
function find(part: string, text: string, from: number, startsAtBoundary: boolean, endsAtBoundary: boolean): number {
  const isPlain = !part.includes('?')
  for (let at = from; at <= text.length; at++) {
    if (isPlain) {
      at = text.indexOf(part, at)
      if (at === -1) return -1
    }
    if (startsAtBoundary && !isBoundary(text, at)) continue
    const end = isPlain ? at + part.length : endOfMatch(part, text, at)
    if (end !== -1 && (!endsAtBoundary || isBoundary(text, end))) return end
  }
  return -1
}

/** Returns the end of a part with `?` that matches here, -1 if it does not. */
function endOfMatch(part: string, text: string, start: number): number {
  let at = start
  for (const sign of part) {
    const point = text.codePointAt(at)
    if (point === undefined || (sign !== '?' && sign.codePointAt(0) !== point)) return -1
    at += point > 0xffff ? 2 : 1
  }
  return at
}

/**
 * Returns whether a position is a word boundary: the start and the end of a text, and both sides of every character
 * but ASCII letters, digits and `_`.
 */
function isBoundary(text: string, at: number): boolean {
  return at <= 0 || at >= text.length || !isWord(text.charCodeAt(at - 1)) || !isWord(text.charCodeAt(at))
}

function isWord(unit: number): boolean {
  const lower = unit | 0x20
  return (lower >= 0x61 && lower <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
}
