// SPDX-License-Identifier: Apache-2.0
import { QUOTE, COMMA, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT } from './json-punctuation.ts'
import { MatrixError } from './errors.ts'
import type { Json } from './json.ts'
import { parseJson } from './parse-json.ts'
import type { JsonLimits } from './parse-json.ts'

/** The length from which a text is better parsed in steps. */
export const LONG_JSON = 256 * 1024
/** The length up to which a value is parsed at once; the members of a longer one are parsed one by one. */
const AT_ONCE = 64 * 1024
/** The deepest level of a long value. */
const MAX_LONG_LEVELS = 4

/**
 * Parses a JSON text like `parseJson`, in steps of some 64 KiB: a generator that yields its progress and returns the
 * value. Long objects have no prototype.
 */
export function* parseLongJson(text: string, limits: JsonLimits = {}): Generator<number, Json> {
  const reader = new Reader(text, limits)
  const value = yield* reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  readonly #limits: JsonLimits
  #at = 0
  #yieldedAt = 0

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  *value(level: number): Generator<number, Json> {
    this.#skipSpace()
    const end = this.#endOfValue()
    if (end !== undefined) {
      const value = parseJson(this.#text.slice(this.#at, end), this.#limitsAt(level))
      this.#at = end
      if (end - this.#yieldedAt > AT_ONCE) {
        this.#yieldedAt = end
        yield end
      }
      return value
    }
    if (level === MAX_LONG_LEVELS) throw new MatrixError('M_BAD_JSON', 'JSON has a long value nested too deeply')
    if (this.#text.charCodeAt(this.#at) === OPEN_LIST) return yield* this.#list(level)
    return yield* this.#object(level)
  }

  /** Checks that only white space follows. */
  end(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) throw notJson()
  }

  *#list(level: number): Generator<number, Json> {
    const list: Json[] = []
    this.#at++
    for (;;) {
      list.push(yield* this.value(level + 1))
      if (this.#endsAt(CLOSE_LIST)) return list
    }
  }

  *#object(level: number): Generator<number, Json> {
    const object = Object.create(null) as Record<string, Json>
    this.#at++
    for (;;) {
      this.#skipSpace()
      const end = this.#text.charCodeAt(this.#at) === QUOTE ? this.#endOfString(this.#at) : -1
      if (end === -1) throw notJson()
      const key = parseJson(this.#text.slice(this.#at, end + 1), this.#limits) as string
      if (Object.hasOwn(object, key)) throw new MatrixError('M_BAD_JSON', 'an object has a key twice')
      this.#at = end + 1
      this.#skipSpace()
      if (this.#text.charCodeAt(this.#at) !== COLON) throw notJson()
      this.#at++
      object[key] = yield* this.value(level + 1)
      if (this.#endsAt(CLOSE_OBJECT)) return object
    }
  }

  /** Skips a comma, or the end of the current value, in which case it returns true. */
  #endsAt(close: number): boolean {
    this.#skipSpace()
    const unit = this.#text.charCodeAt(this.#at)
    if (unit !== COMMA && unit !== close) throw notJson()
    this.#at++
    return unit === close
  }

  /** Returns the end of the value that begins here; undefined for a list or an object too long to parse at once. */
  #endOfValue(): number | undefined {
    const text = this.#text
    const first = text.charCodeAt(this.#at)
    if (first === QUOTE) {
      const end = this.#endOfString(this.#at)
      if (end === -1) throw notJson()
      return end + 1
    }
    const isNested = first === OPEN_LIST || first === OPEN_OBJECT
    let open = 0
    const last = Math.min(text.length, this.#at + AT_ONCE)
    for (let at = this.#at; at < last; at++) {
      const unit = text.charCodeAt(at)
      if (!isNested) {
        if (unit === COMMA || unit === CLOSE_LIST || unit === CLOSE_OBJECT) return at
      } else if (unit === QUOTE) {
        at = this.#endOfString(at)
        if (at === -1) throw notJson()
      } else if (unit === OPEN_LIST || unit === OPEN_OBJECT) open++
      else if ((unit === CLOSE_LIST || unit === CLOSE_OBJECT) && --open === 0) return at + 1
    }
    if (isNested && last < text.length) return undefined
    // A number ends within that; the parser reports a truncated one.
    return text.length
  }

  /** Returns the position of the quote that ends a string, or -1. */
  #endOfString(start: number): number {
    const text = this.#text
    for (let at = start + 1; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit === QUOTE) return at
      if (unit === BACKSLASH) at++
    }
    return -1
  }

  #skipSpace(): void {
    const text = this.#text
    for (; this.#at < text.length; this.#at++) {
      const unit = text.charCodeAt(this.#at)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return
    }
  }

  #limitsAt(level: number): JsonLimits {
    return level === 0 ? this.#limits : { ...this.#limits, maxDepth: (this.#limits.maxDepth ?? 200) - level }
  }
}

const notJson = () => new MatrixError('M_NOT_JSON', 'content is not JSON')
