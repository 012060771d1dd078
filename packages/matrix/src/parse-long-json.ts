// SPDX-License-Identifier: Apache-2.0
import { QUOTE, COMMA, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT } from './json-punctuation.ts'
import { MatrixError } from './errors.ts'
import type { Json } from './json.ts'
import { parseJson } from './parse-json.ts'
import type { JsonLimits } from './parse-json.ts'

/** The length in characters from which a JSON text is parsed in steps. */
export const LONG_JSON = 32 * 1024
/** The length up to which a part of a long text is parsed at once. */
export const MAX_STEP_LENGTH = 32 * 1024
/** The longest string in a long text: an event has at most 64 KiB, and escapes take up to three times as much. */
export const MAX_STRING_LENGTH = 256 * 1024
/** The largest number of members of a long object, whose hash table is copied in one step when it grows. */
const MAX_MEMBERS = 65_536
/** The largest number of entries of a long list, which is copied when it grows, too. */
const MAX_ENTRIES = 1_048_576
/** The level to which lists and objects may be long: a to-device message in a transaction has its ciphertext at the eighth. */
const MAX_LONG_LEVELS = 12

/**
 * Parses a JSON text like `parseJson`, in steps of `MAX_STEP_LENGTH` characters or one string, between which others may have
 * their turn: a generator that yields the position it has reached, and returns the value. Long objects in it have no
 * prototype.
 *
 * @throws MatrixError `M_NOT_JSON`; `M_BAD_JSON` also for a longer string, more members of one object, or long parts below the
 *   twelfth level
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
    const first = this.#text.charCodeAt(this.#at)
    const isList = first === OPEN_LIST
    if (!isList && first !== OPEN_OBJECT) return yield* this.#parse(this.#endOfScalar(first), level)
    const start = this.#at++
    this.#skipSpace()
    const end = this.#endOfRun()
    const unit = end === undefined ? COMMA : this.#text.charCodeAt(end)
    if (end !== undefined && unit !== COMMA) {
      this.#at = start
      return yield* this.#parse(end + 1, level)
    }
    if (level === MAX_LONG_LEVELS) throw tooLong()
    return yield* isList ? this.#list(level) : this.#object(level)
  }

  /** Throws if anything but white space follows. */
  end(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) throw notJson()
  }

  *#list(level: number): Generator<number, Json> {
    const list: Json[] = []
    for (;;) {
      this.#skipSpace()
      const end = this.#endOfRun()
      if (end === undefined) list.push(yield* this.value(level + 1))
      else for (const entry of yield* this.#run<Json[]>(end, ['[', ']'], level)) list.push(entry)
      if (list.length > MAX_ENTRIES) throw new MatrixError('M_BAD_JSON', 'a list has too many entries')
      if (this.#endsAt(CLOSE_LIST)) return list
    }
  }

  *#object(level: number): Generator<number, Json> {
    const object = Object.create(null) as Record<string, Json>
    const put = (key: string, value: Json) => {
      if (Object.hasOwn(object, key)) throw new MatrixError('M_BAD_JSON', 'an object has a key twice')
      object[key] = value
    }
    let count = 0
    for (;;) {
      this.#skipSpace()
      const end = this.#endOfRun()
      if (end === undefined) {
        put(this.#key(), yield* this.value(level + 1))
        count++
      } else {
        const members = Object.entries(yield* this.#run<Record<string, Json>>(end, ['{', '}'], level))
        for (const [key, value] of members) put(key, value)
        count += members.length
      }
      if (count > MAX_MEMBERS) throw new MatrixError('M_BAD_JSON', 'an object has too many members')
      if (this.#endsAt(CLOSE_OBJECT)) return object
    }
  }

  /** Parses the entries or members up to `end`, of which there must be some. */
  *#run<Entries extends Json>(end: number, [open, close]: readonly [string, string], level: number) {
    const text = this.#text.slice(this.#at, end)
    if (text.trim() === '') throw notJson()
    const entries = parseJson(open + text + close, this.#limitsAt(level)) as Entries
    yield* this.#moveTo(end)
    return entries
  }

  *#parse(end: number, level: number): Generator<number, Json> {
    const value = parseJson(this.#text.slice(this.#at, end), this.#limitsAt(level))
    yield* this.#moveTo(end)
    return value
  }

  *#moveTo(end: number): Generator<number, void> {
    this.#at = end
    if (end - this.#yieldedAt < MAX_STEP_LENGTH / 2) return
    this.#yieldedAt = end
    yield end
  }

  /** Reads a key and its colon. */
  #key(): string {
    this.#skipSpace()
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw notJson()
    const end = this.#endOfString(this.#at)
    const key = parseJson(this.#text.slice(this.#at, end + 1), this.#limits) as string
    this.#at = end + 1
    this.#skipSpace()
    if (this.#text.charCodeAt(this.#at) !== COLON) throw notJson()
    this.#at++
    return key
  }

  /** Steps over a comma and returns false, or over the end of the list or object and returns true. */
  #endsAt(close: number): boolean {
    this.#skipSpace()
    const unit = this.#text.charCodeAt(this.#at)
    if (unit !== COMMA && unit !== close) throw notJson()
    this.#at++
    return unit === close
  }

  /**
   * Returns the end of as many entries of the list or object as fit into one step: the position of its closing bracket or of
   * a comma; undefined if not even the first entry fits.
   */
  #endOfRun(): number | undefined {
    const text = this.#text
    let open = 0
    let comma: number | undefined
    const last = Math.min(text.length, this.#at + MAX_STEP_LENGTH)
    for (let at = this.#at; at < last; at++) {
      const unit = text.charCodeAt(at)
      if (unit === QUOTE) at = this.#endOfString(at)
      else if (unit === OPEN_LIST || unit === OPEN_OBJECT) open++
      else if (unit === CLOSE_LIST || unit === CLOSE_OBJECT) {
        if (open-- === 0) return at
      } else if (unit === COMMA && open === 0) comma = at
    }
    if (comma === undefined && last === text.length) throw notJson()
    return comma
  }

  #endOfScalar(first: number): number {
    if (first === QUOTE) return this.#endOfString(this.#at) + 1
    const text = this.#text
    let at = this.#at
    for (; at < text.length && at - this.#at < MAX_STEP_LENGTH; at++) {
      const unit = text.charCodeAt(at)
      if (unit === COMMA || unit === CLOSE_LIST || unit === CLOSE_OBJECT) break
    }
    return at
  }

  /** Returns the position of the quote that ends a string. */
  #endOfString(start: number): number {
    const text = this.#text
    const last = Math.min(text.length, start + MAX_STRING_LENGTH)
    for (let at = text.indexOf('"', start + 1); at !== -1 && at < last; at = text.indexOf('"', at + 1)) {
      let escapes = 0
      while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++
      if (escapes % 2 === 0) return at
    }
    throw last === text.length ? notJson() : tooLong()
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
const tooLong = () => new MatrixError('M_BAD_JSON', 'a part of the JSON is too long')
