// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from './errors.ts'
import type { Json } from './json.ts'
import { rawNumber } from './raw-number.ts'
import { type Scan, scanJson } from './scan-json.ts'

/** The limits of a JSON text, and the treatment of numbers that canonical JSON excludes. */
export interface JsonLimits {
  /** Levels of nesting; 200 by default. */
  readonly maxDepth?: number
  /** Floats, exponents, `-0` and integers beyond ±(2^53 - 1) are refused. */
  readonly strictNumbers?: boolean
  /** Numbers that a JavaScript number would change keep their spelling, for room versions 1 to 5. */
  readonly keepNumbers?: boolean
}

/**
 * Parses a JSON text; throws `M_NOT_JSON` for text that is not JSON, and `M_BAD_JSON` for JSON that is not accepted.
 *
 * Not taken are nesting deeper than the limit, keys that stand twice in an object (however they are spelled), text that is
 * not Unicode, and numbers beyond the range of a double. The first would overflow our stack, the next two mean different
 * things to different servers, and the last cannot be written as JSON again.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export function parseJson(text: string, limits: JsonLimits = {}): Json {
  const scan = scanJson(text)
  if (scan.depth > (limits.maxDepth ?? 200)) throw new MatrixError('M_BAD_JSON', 'JSON is nested too deeply')
  const value = parsed(text, limits.keepNumbers === true && scan.hasOddNumbers)
  if (scan.hasInfiniteNumbers) throw new MatrixError('M_BAD_JSON', 'numbers must be finite')
  if (limits.strictNumbers === true && scan.hasOddNumbers) {
    throw new MatrixError('M_BAD_JSON', 'numbers must be integers within ±(2^53 - 1)')
  }
  if (countKeys(value) !== scan.keys) throw new MatrixError('M_BAD_JSON', 'an object has a key twice')
  if (hasLoneSurrogates(text, scan, value)) throw new MatrixError('M_BAD_JSON', 'text must be Unicode')
  return value
}

function parsed(text: string, keepNumbers: boolean): Json {
  try {
    return keepNumbers ? (JSON.parse(text, keepSpelling) as Json) : (JSON.parse(text) as Json)
  } catch (cause) {
    throw new MatrixError('M_NOT_JSON', 'content is not JSON', { cause })
  }
}

function keepSpelling(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && `${value}` !== source ? rawNumber(source) : value
}

/** Counts the keys of a value. Fewer keys than colons means a duplicate: exact, and cheaper than a set per object. */
function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) {
    let count = 0
    for (const entry of value) if (typeof entry === 'object' && entry !== null) count += countKeys(entry)
    return count
  }
  if (Object.isFrozen(value)) return 0 // a number that keeps its spelling
  const entries = Object.values(value)
  let count = entries.length
  for (const entry of entries) if (typeof entry === 'object' && entry !== null) count += countKeys(entry)
  return count
}

function hasLoneSurrogates(text: string, scan: Scan, value: Json): boolean {
  if (!text.isWellFormed()) return true
  return scan.hasEscapes && /\\u[dD][89a-fA-F]/.test(text) && !isWellFormed(value)
}

function isWellFormed(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isWellFormed)
  return Object.entries(value).every(([key, entry]) => key.isWellFormed() && isWellFormed(entry))
}
