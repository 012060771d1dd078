// SPDX-License-Identifier: Apache-2.0
import { QUOTE, COMMA, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT } from './json-punctuation.ts'
import { MatrixError } from './errors.ts'
import type { Json } from './json.ts'
import { parseJson } from './parse-json.ts'
import type { JsonLimits } from './parse-json.ts'

/** From so many characters on, a text is better parsed in steps. */
export const LONG_JSON = 256 * 1024
/** A value up to so long is parsed at once; of a longer one its members are, one after the other. */
const AT_ONCE = 64 * 1024
/** So deep a value that long may lie; what is longer further down nobody sends for a good reason. */
const MAX_LONG_LEVELS = 4

/**
 * Parses a JSON text like `parseJson`, in steps of some 64 KiB between which others may have their turn: a generator that
 * yields how far it has come, and returns the value. Objects in it that are long have no prototype.
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
    if (level === MAX_LONG_LEVELS) throw new MatrixError('M_BAD_JSON', 'a part of the JSON is too long')
    if (this.#text.charCodeAt(this.#at) === OPEN_LIST) return yield* this.#list(level)
    return yield* this.#object(level)
  }

  /** Nothing but space may follow. */
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

  /** Steps over a comma, or over the end of what is being read: then it answers true. */
  #endsAt(close: number): boolean {
    this.#skipSpace()
    const unit = this.#text.charCodeAt(this.#at)
    if (unit !== COMMA && unit !== close) throw notJson()
    this.#at++
    return unit === close
  }

  /** Where the value that begins here ends; undefined for a list or an object that is too long to be parsed at once. */
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
    // A number has an end within that; what is cut off is told by the parser.
    return text.length
  }

  /** The quote that ends a string, or -1. */
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
