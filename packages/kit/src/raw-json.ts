// SPDX-License-Identifier: Apache-2.0
import { pause, spend } from './turn.ts'

/** JSON that is already encoded; {@link encodeJson} copies it as it is. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The levels of a long value that are encoded part by part: events of rooms of a `/sync` response are at the sixth. */
const LEVELS = 6
/** The number of characters that are encoded and converted to bytes in a microsecond, roughly. */
const CHARACTERS_A_US = 50
const CHUNK_CHARACTERS = 64 * 1024
/** What makes a value long: entries, and characters that are already encoded. */
const LONG_ENTRIES = 500
const CHARACTERS_AN_ENTRY = 400

/** Returns whether a value is better encoded by {@link jsonChunks}: it has many entries, or much JSON. Looks at few of them. */
export function isLongJson(value: unknown): boolean {
  return weightOf(value, LONG_ENTRIES, LEVELS) >= LONG_ENTRIES
}

/** Returns JSON like {@link encodeJson} in chunks of some 64 KiB, between which others may have their turn. */
export async function* jsonChunks(value: unknown): AsyncGenerator<Buffer> {
  let text = ''
  for (const part of partsOf(value, LEVELS)) {
    text += part
    if (text.length < CHUNK_CHARACTERS) continue
    spend(text.length / CHARACTERS_A_US)
    yield Buffer.from(text)
    text = ''
    for (let pausing = pause(); pausing; pausing = pause()) await pausing
  }
  yield Buffer.from(text)
}

/** Encodes like `JSON.stringify`, and takes {@link RawJson} anywhere inside. */
export function encodeJson(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value))
    return `[${value.map((entry) => (entry === undefined ? 'null' : encodeJson(entry))).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  let text = '{'
  for (const key of Object.keys(value)) {
    const entry = (value as Record<string, unknown>)[key]
    if (entry === undefined) continue
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(key)}:${encodeJson(entry)}`
  }
  return `${text}}`
}

function* partsOf(value: unknown, levels: number): Generator<string> {
  if (levels === 0 || typeof value !== 'object' || value === null || value instanceof RawJson) {
    yield encodeJson(value)
    return
  }
  let before = Array.isArray(value) ? '[' : '{'
  if (Array.isArray(value)) {
    for (const entry of value) {
      yield before
      yield* partsOf(entry === undefined ? null : entry, levels - 1)
      before = ','
    }
    yield before === '[' ? '[]' : ']'
    return
  }
  for (const key of Object.keys(value)) {
    const entry = (value as Record<string, unknown>)[key]
    if (entry === undefined) continue
    yield `${before}${JSON.stringify(key)}:`
    yield* partsOf(entry, levels - 1)
    before = ','
  }
  yield before === '{' ? '{}' : '}'
}

/** Returns the number of entries of a value, or a larger one once it is `enough`. */
function weightOf(value: unknown, enough: number, levels: number): number {
  if (value instanceof RawJson) return 1 + value.text.length / CHARACTERS_AN_ENTRY
  if (levels === 0 || typeof value !== 'object' || value === null) return 1
  let weight = 1
  if (Array.isArray(value)) {
    if (value.length >= enough) return value.length
    for (const entry of value) if ((weight += weightOf(entry, enough - weight, levels - 1)) >= enough) break
    return weight
  }
  for (const key in value) {
    weight += weightOf((value as Record<string, unknown>)[key], enough - weight, levels - 1)
    if (weight >= enough) break
  }
  return weight
}
