// SPDX-License-Identifier: Apache-2.0
import { QUOTE, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT } from './json-punctuation.ts'

/** Findings about a JSON text that its parsed value no longer shows. */
export interface Scan {
  readonly depth: number
  /** The number of keys, duplicates included. */
  readonly keys: number
  readonly hasEscapes: boolean
  /** Some number is a float, has an exponent, is `-0`, or is not a safe integer. */
  readonly hasOddNumbers: boolean
  /** Some number is beyond the range of a double, such as `1e400`: a parser makes it infinite. */
  readonly hasInfiniteNumbers: boolean
}

const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

/**
 * Scans a JSON text without building a value; the result is meaningless for text that is not JSON.
 *
 * Strings are skipped by the engine's own search, so the cost is mostly that of the punctuation.
 */
export function scanJson(text: string): Scan {
  let open = 0
  let depth = 0
  let keys = 0
  let hasOddNumbers = false
  let hasInfiniteNumbers = false
  const firstEscape = text.indexOf('\\')
  let escape = firstEscape
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) {
      let end = text.indexOf('"', at + 1)
      if (escape !== -1 && escape < at) escape = text.indexOf('\\', at)
      if (escape !== -1 && escape < end) end = endOfString(text, at)
      if (end === -1) break
      at = end
    } else if (unit === COLON) keys++
    else if (unit === OPEN_LIST || unit === OPEN_OBJECT) {
      open++
      if (open > depth) depth = open
    } else if (unit === CLOSE_LIST || unit === CLOSE_OBJECT) open--
    else if (unit === MINUS || (unit >= ZERO && unit <= NINE)) {
      const end = endOfNumber(text, at)
      if (isOddNumber(text, at, end)) {
        hasOddNumbers = true
        hasInfiniteNumbers ||= Math.abs(Number(text.slice(at, end))) === Number.POSITIVE_INFINITY
      }
      at = end - 1
    }
  }
  return { depth, keys, hasEscapes: firstEscape !== -1, hasOddNumbers, hasInfiniteNumbers }
}

/** Returns the end of a string with escapes, unit by unit; searching from escape to escape would be quadratic. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) return at
    if (unit === BACKSLASH) at++
  }
  return -1
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && isInNumber(text.charCodeAt(at))) at++
  return at
}

/** Returns whether a unit is a digit, `+`, `-`, `.`, `e` or `E`. */
function isInNumber(unit: number): boolean {
  return (unit >= ZERO && unit <= NINE) || unit === 0x2b || unit === MINUS || unit === 0x2e || (unit | 0x20) === 0x65
}

function isOddNumber(text: string, start: number, end: number): boolean {
  if (end - start === 2 && text.charCodeAt(start) === MINUS && text.charCodeAt(start + 1) === ZERO) return true
  for (let at = start + 1; at < end; at++) {
    const unit = text.charCodeAt(at)
    if (unit < ZERO || unit > NINE) return true
  }
  return end - start > 15 && !Number.isSafeInteger(Number(text.slice(start, end)))
}
