// SPDX-License-Identifier: Apache-2.0
import { step } from './turn.ts'

/** JSON that is already encoded; {@link encodeJson} copies it as it is. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The levels of a long value that are encoded in steps: rooms of a `/sync` response are at the third. */
const LEVELS = 4
/** The number of characters that are encoded in a microsecond, roughly. */
const CHARACTERS_A_US = 50

/** Encodes like {@link encodeJson}, in steps between which others may have their turn. */
export async function encodeLongJson(value: unknown, levels = LEVELS): Promise<string> {
  if (levels === 0 || typeof value !== 'object' || value === null || value instanceof RawJson) {
    const text = encodeJson(value)
    await step(text.length / CHARACTERS_A_US)
    return text
  }
  const parts: string[] = []
  if (Array.isArray(value)) {
    for (const entry of value) parts.push(entry === undefined ? 'null' : await encodeLongJson(entry, levels - 1))
    return `[${parts.join(',')}]`
  }
  for (const [key, entry] of Object.entries(value)) {
    if (entry !== undefined) parts.push(`${JSON.stringify(key)}:${await encodeLongJson(entry, levels - 1)}`)
  }
  return `{${parts.join(',')}}`
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
