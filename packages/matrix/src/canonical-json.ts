// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from './json.ts'
import { rawNumberText } from './raw-number.ts'

/**
 * Returns canonical JSON, which is hashed and signed: keys in code point order, no white space, integers only.
 *
 * Throws a RangeError for a number that is not an integer within ±(2^53 - 1), and for nesting deeper than any parser
 * here accepts; a {@link TooLongError} where it has more than about `maxLength` characters.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export function canonicalJson(value: Json, maxLength = Number.POSITIVE_INFINITY): string {
  return write(value, strictNumber, maxLength)
}

/**
 * Returns canonical JSON for room versions 1 to 5: floats and large numbers keep their spelling.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export function canonicalJsonLoose(value: Json, maxLength = Number.POSITIVE_INFINITY): string {
  return write(value, looseNumber, maxLength)
}

/** Canonical JSON was longer than its caller takes; the rest of it was not written. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError'
}

// One for all: it is thrown on the way of every long body, and says nothing of it.
const TOO_LONG = new TooLongError('the canonical JSON is too long')

/** The length from which a step ends. */
const STEP_LENGTH = 16 * 1024
/** The length up to which a list or object is written at once. Where it turns out to be longer, that much was in vain. */
const SHORT_LENGTH = 4 * 1024

/**
 * Returns the UTF-8 of what {@link canonicalJsonLoose} returns, written in steps of some 16 KiB, or one string or the keys of one
 * object, between which others may have their turn.
 */
export function* canonicalJsonInSteps(value: Json): Generator<void, Uint8Array> {
  const done: Buffer[] = []
  let text = ''
  function* part(each: Json): Generator<void> {
    const short = shortJson(each)
    if (short !== undefined) text += short
    else if (typeof each === 'object' && each !== null) yield* isList(each) ? list(each) : object(each)
    if (text.length < STEP_LENGTH) return
    done.push(Buffer.from(text))
    text = ''
    yield
  }
  function* list(entries: readonly Json[]): Generator<void> {
    text += '['
    for (let at = 0; at < entries.length; at++) {
      if (at > 0) text += ','
      yield* part(entries[at] ?? null)
    }
    text += ']'
  }
  function* object(members: JsonObject): Generator<void> {
    const keys = canonicalKeys(members)
    yield
    text += '{'
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] ?? ''
      text += `${at === 0 ? '' : ','}${JSON.stringify(key)}:`
      yield* part(members[key] ?? null)
    }
    text += '}'
  }
  yield* part(value)
  return Buffer.concat([...done, Buffer.from(text)])
}

/** Returns the canonical JSON of a string or of a short value, undefined for a longer list or object. */
function shortJson(value: Json): string | undefined {
  if (typeof value !== 'object') return canonicalJsonLoose(value)
  try {
    return canonicalJsonLoose(value, SHORT_LENGTH)
  } catch (cause) {
    if (cause === TOO_LONG) return undefined
    throw cause
  }
}

/**
 * Compares two strings by Unicode code point, which differs from JavaScript's `<` above U+FFFF; negative where `a`
 * sorts before `b`.
 */
export function compareCodePoints(a: string, b: string): number {
  const end = a.length < b.length ? a.length : b.length
  for (let at = 0; at < end; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    // A surrogate is part of a code point above all other units, although its own value is below U+E000.
    if (left !== right)
      return (isSurrogate(left) ? left + 0x10000 : left) - (isSurrogate(right) ? right + 0x10000 : right)
  }
  return a.length - b.length
}

/** Returns an object's own keys in canonical order. */
export function canonicalKeys(object: JsonObject): string[] {
  return sorted(Object.keys(object))
}

function sorted(keys: string[]): string[] {
  for (let at = 1; at < keys.length; at++) {
    if (compareCodePoints(keys[at - 1] ?? '', keys[at] ?? '') > 0) return keys.sort(compareCodePoints)
  }
  return keys
}

type PrintNumber = (value: number | JsonObject) => string

function write(value: Json, print: PrintNumber, maxLength: number): string {
  // JSON.stringify escapes exactly what canonical JSON requires.
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return print(value)
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return isList(value) ? writeList(value, print, maxLength) : writeObject(value, print, maxLength)
}

function writeList(list: readonly Json[], print: PrintNumber, maxLength: number): string {
  let text = '['
  for (let at = 0; at < list.length; at++) {
    text += (at === 0 ? '' : ',') + write(list[at] ?? null, print, maxLength)
    if (text.length > maxLength) throw TOO_LONG
  }
  return `${text}]`
}

function writeObject(object: JsonObject, print: PrintNumber, maxLength: number): string {
  const own = Object.keys(object)
  // Sorting the keys of a long object takes longer than writing it.
  if (own.length * SHORTEST_MEMBER > maxLength) throw TOO_LONG
  const keys = sorted(own)
  if (keys[0] === 'rawJSON' && rawNumberText(object) !== undefined) return print(object)
  let text = '{'
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? ''
    text += `${(at === 0 ? '' : ',') + JSON.stringify(key)}:${write(object[key] ?? null, print, maxLength)}`
    if (text.length > maxLength) throw TOO_LONG
  }
  return `${text}}`
}

/** The length of `"":1,`. */
const SHORTEST_MEMBER = 5

function strictNumber(value: number | JsonObject): string {
  if (!Number.isSafeInteger(value))
    throw new RangeError('numbers in canonical JSON must be integers within ±(2^53 - 1)')
  return `${value as number}`
}

function looseNumber(value: number | JsonObject): string {
  if (typeof value !== 'number') return rawNumberText(value) ?? 'null'
  if (!Number.isFinite(value)) throw new RangeError('numbers in JSON must be finite')
  return `${value}`
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value)
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}
