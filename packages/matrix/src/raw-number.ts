// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from './json.ts'

// The type library we compile against does not know these two yet; Node does.
const raw = JSON as unknown as {
  rawJSON(text: string): JsonObject
  isRawJSON(value: unknown): boolean
}

/**
 * A number as JSON that keeps the spelling it came with, such as `1.0` or `12345678901234567890`.
 *
 * Room versions 1 to 5 hash numbers as their origin spelled them, and a JavaScript number forgets the spelling.
 * `JSON.stringify` prints it back; {@link numberOf} gives its value.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export function rawNumber(text: string): Json {
  return raw.rawJSON(text)
}

/** The spelling of a {@link rawNumber}, undefined for anything else. */
export function rawNumberText(value: Json | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || !raw.isRawJSON(value)) return undefined
  const text = (value as JsonObject)['rawJSON']
  return typeof text === 'string' ? text : undefined
}

/** The value of a JSON number, also of one that keeps its spelling; undefined for anything else. */
export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value
  const text = rawNumberText(value)
  return text === undefined ? undefined : Number(text)
}

/** Whether a {@link rawNumber} is anywhere in a value. */
export function hasRawNumbers(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (raw.isRawJSON(value)) return true
  const inside = Array.isArray(value) ? (value as readonly Json[]) : Object.values(value)
  return inside.some(hasRawNumbers)
}
