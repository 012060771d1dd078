// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from './json.ts'
import { rawNumberText } from './raw-number.ts'

/**
 * Returns canonical JSON, which is hashed and signed: keys in code point order, no white space, integers only.
 *
 * Throws a RangeError for a number that is not an integer within ±(2^53 - 1), and for nesting deeper than any parser
 * here accepts.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export function canonicalJson(value: Json): string {
  return write(value, strictNumber)
}

/**
 * Returns canonical JSON for room versions 1 to 5: floats and large numbers keep their spelling.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export function canonicalJsonLoose(value: Json): string {
  return write(value, looseNumber)
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
  const keys = Object.keys(object)
  for (let at = 1; at < keys.length; at++) {
    if (compareCodePoints(keys[at - 1] ?? '', keys[at] ?? '') > 0) return keys.sort(compareCodePoints)
  }
  return keys
}

type PrintNumber = (value: number | JsonObject) => string

function write(value: Json, print: PrintNumber): string {
  // JSON.stringify escapes exactly what canonical JSON requires.
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return print(value)
  if (value === null) return 'null'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  return isList(value) ? writeList(value, print) : writeObject(value, print)
}

function writeList(list: readonly Json[], print: PrintNumber): string {
  let text = '['
  for (let at = 0; at < list.length; at++) text += (at === 0 ? '' : ',') + write(list[at] ?? null, print)
  return `${text}]`
}

function writeObject(object: JsonObject, print: PrintNumber): string {
  const keys = canonicalKeys(object)
  if (keys[0] === 'rawJSON' && rawNumberText(object) !== undefined) return print(object)
  let text = '{'
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? ''
    text += `${(at === 0 ? '' : ',') + JSON.stringify(key)}:${write(object[key] ?? null, print)}`
  }
  return `${text}}`
}

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
