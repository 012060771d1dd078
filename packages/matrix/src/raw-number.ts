// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from './json.ts'

// Missing in the type library; Node has both.
const raw = JSON as unknown as {
  rawJSON(text: string): JsonObject
  isRawJSON(value: unknown): boolean
}

/**
 * Returns a JSON number that keeps its spelling, such as `1.0` or `12345678901234567890`.
 *
 * Room versions 1 to 5 hash numbers as their origin spelled them, which a JavaScript number does not preserve.
 * `JSON.stringify` prints the spelling; {@link numberOf} returns the value.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#canonical-json
 */
export function rawNumber(text: string): Json {
  return raw.rawJSON(text)
}

/** Returns the spelling of a {@link rawNumber}, undefined for anything else. */
export function rawNumberText(value: Json | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || !raw.isRawJSON(value)) return undefined
  const text = (value as JsonObject)['rawJSON']
  return typeof text === 'string' ? text : undefined
}

/** Returns the value of a JSON number, with or without its spelling; undefined for anything else. */
export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value
  const text = rawNumberText(value)
  return text === undefined ? undefined : Number(text)
}

/** Returns whether a value contains a {@link rawNumber}. */
export function hasRawNumbers(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (raw.isRawJSON(value)) return true
  const inside = Array.isArray(value) ? (value as readonly Json[]) : Object.values(value)
  return inside.some(hasRawNumbers)
}
