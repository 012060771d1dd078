// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer'
import { QUOTE, COMMA, COLON, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT } from './json-punctuation.ts'
import { MatrixError } from './errors.ts'

/** The lists to split, and the limits for what is held in memory. */
export interface SplitLimits {
  /** The members that are lists whose elements are returned one by one. */
  readonly lists: ReadonlySet<string>
  /** The longest element in bytes; longer ones are dropped. */
  readonly maxElementBytes: number
  /** The limit for all other members together, in bytes. */
  readonly maxRestBytes: number
}

/** The text of one element of a list, or of another member. */
export interface JsonPart {
  readonly key: string
  readonly isElement: boolean
  readonly text: string
}

/** The deepest accepted nesting. */
const MAX_DEPTH = 200
const MAX_MEMBERS = 1_000
const MAX_KEY_BYTES = 1_024

type Expected = 'object' | 'key or end' | 'key' | 'colon' | 'value' | 'element or end' | 'element' | 'after value'
type Place = Expected | 'after element' | 'nothing'

/**
 * Splits a streamed JSON object into the elements of some of its lists and its other members, and holds no more than
 * one of them at a time.
 *
 * Returned texts are well nested but not parsed yet. Throws `M_NOT_JSON` where the object is not JSON, and
 * `M_BAD_JSON` for a duplicate key, too deep nesting, or oversized members.
 */
export class JsonSplitter {
  readonly #limits: SplitLimits
  readonly #keys = new Set<string>()
  #place: Place = 'object'
  #key = ''
  #restBytes = 0
  #value: Value | undefined

  constructor(limits: SplitLimits) {
    this.#limits = limits
  }

  /** Adds bytes and returns the parts that end in them, in order. */
  push(bytes: Uint8Array): JsonPart[] {
    const parts: JsonPart[] = []
    for (let at = 0; at < bytes.length; ) {
      if (!this.#value) {
        const byte = bytes[at] as number
        if (!isSpace(byte)) this.#begin(byte)
        if (!this.#value) at++
        continue
      }
      at = this.#value.take(bytes, at)
      if (!this.#value.isWhole) break
      const { text } = this.#value
      this.#value = undefined
      this.#end(text, parts)
    }
    return parts
  }

  /** Ends the text and returns the names of all members. */
  end(): ReadonlySet<string> {
    if (this.#place !== 'nothing' || this.#value) throw notJson()
    return this.#keys
  }

  /** Handles a byte between values, or the first byte of a value. */
  #begin(byte: number): void {
    const next = NEXT[this.#place]?.[byte]
    if (next) this.#place = next
    else if (this.#place === 'key' || this.#place === 'key or end') {
      if (byte !== QUOTE) throw notJson()
      this.#place = 'key'
      this.#value = new Value(byte, MAX_KEY_BYTES)
    } else if (this.#place === 'value' && byte === OPEN_LIST && this.#limits.lists.has(this.#key)) {
      this.#place = 'element or end'
    } else if (this.#place === 'value') {
      this.#value = new Value(byte, this.#limits.maxRestBytes - this.#restBytes)
    } else if (this.#place === 'element' || this.#place === 'element or end') {
      this.#place = 'element'
      this.#value = new Value(byte, this.#limits.maxElementBytes)
    } else throw notJson()
  }

  #end(text: string | undefined, parts: JsonPart[]): void {
    if (this.#place === 'element') {
      if (text !== undefined) parts.push({ key: this.#key, isElement: true, text })
      this.#place = 'after element'
      return
    }
    if (text === undefined) throw new MatrixError('M_BAD_JSON', 'a member of the JSON is too large')
    if (this.#place === 'key') {
      this.#key = keyOf(text)
      if (this.#keys.has(this.#key)) throw new MatrixError('M_BAD_JSON', 'an object has a key twice')
      if (this.#keys.size === MAX_MEMBERS) throw new MatrixError('M_BAD_JSON', 'an object has too many members')
      this.#keys.add(this.#key)
      this.#place = 'colon'
      return
    }
    this.#restBytes += text.length
    parts.push({ key: this.#key, isElement: false, text })
    this.#place = 'after value'
  }
}

/** The bytes allowed between values, and the state that follows each. */
const NEXT: Readonly<Partial<Record<Place, Readonly<Record<number, Place>>>>> = {
  object: { [OPEN_OBJECT]: 'key or end' },
  'key or end': { [CLOSE_OBJECT]: 'nothing' },
  colon: { [COLON]: 'value' },
  'element or end': { [CLOSE_LIST]: 'after value' },
  'after element': { [COMMA]: 'element', [CLOSE_LIST]: 'after value' },
  'after value': { [COMMA]: 'key', [CLOSE_OBJECT]: 'nothing' },
}

/** A value that is being received. */
class Value {
  readonly #maxBytes: number
  readonly #first: number
  /** The closing bytes of the open lists and objects, the innermost last. */
  readonly #open: number[] = []
  #held: Uint8Array[] = []
  #heldBytes = 0
  #isInString = false
  #isEscaped = false
  isWhole = false

  /** Starts a value with its first byte, which is passed to `take` with the others. */
  constructor(first: number, maxBytes: number) {
    this.#first = first
    this.#maxBytes = maxBytes
    if (first === COMMA || first === COLON || first === CLOSE_LIST || first === CLOSE_OBJECT) throw notJson()
  }

  /** Returns the text; undefined where it was too long to hold. */
  get text(): string | undefined {
    if (this.#heldBytes > this.#maxBytes) return undefined
    const bytes = Buffer.concat(this.#held)
    if (!isUtf8(bytes)) throw notJson()
    return decoder.decode(bytes)
  }

  /** Consumes the bytes of the value and returns where it ends. */
  take(bytes: Uint8Array, start: number): number {
    const nests = this.#first === OPEN_LIST || this.#first === OPEN_OBJECT || this.#first === QUOTE
    const end = nests ? this.#endOfNested(bytes, start) : this.#endOfWord(bytes, start)
    this.#heldBytes += end - start
    if (this.#heldBytes > this.#maxBytes) this.#held = []
    // A value that continues in the next chunk must not keep the whole chunk in memory.
    else this.#held.push(this.isWhole ? bytes.subarray(start, end) : bytes.slice(start, end))
    return end
  }

  /** Returns the end of a number, `true` and so on. */
  #endOfWord(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] as number
      if (byte !== COMMA && byte !== CLOSE_LIST && byte !== CLOSE_OBJECT && !isSpace(byte)) continue
      this.isWhole = true
      return at
    }
    return bytes.length
  }

  #endOfNested(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at++) {
      if (this.#isInString) {
        at = this.#endOfString(bytes, at)
        if (this.#isInString) return bytes.length
      } else this.#step(bytes[at] as number)
      if (this.#open.length > 0 || this.#isInString) continue
      this.isWhole = true
      return at + 1
    }
    return bytes.length
  }

  /** Returns the quote that ends the current string, if it is in these bytes. */
  #endOfString(bytes: Uint8Array, start: number): number {
    let at = start
    if (this.#isEscaped && at < bytes.length) {
      this.#isEscaped = false
      at++
    }
    for (; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) {
        this.#isInString = false
        return at
      }
    }
    this.#isEscaped = at > bytes.length
    return at
  }

  #step(byte: number): void {
    if (byte === QUOTE) this.#isInString = true
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (this.#open.length === MAX_DEPTH) throw new MatrixError('M_BAD_JSON', 'JSON is nested too deeply')
      // In ASCII the closing bracket is two after the opening one.
      this.#open.push(byte + 2)
    } else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && this.#open.pop() !== byte) throw notJson()
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function keyOf(text: string): string {
  try {
    return JSON.parse(text) as string
  } catch (cause) {
    throw new MatrixError('M_NOT_JSON', 'content is not JSON', { cause })
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

const notJson = () => new MatrixError('M_NOT_JSON', 'content is not JSON')
