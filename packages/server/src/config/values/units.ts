// SPDX-License-Identifier: Apache-2.0

const SECOND_MS = 1000
const DAY_MS = 86_400_000

const DURATION_MS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['s', SECOND_MS],
  ['m', 60 * SECOND_MS],
  ['h', 3600 * SECOND_MS],
  ['d', DAY_MS],
  ['w', 7 * DAY_MS],
  ['y', 365 * DAY_MS],
])

const SIZE_BYTES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1024],
  ['m', 1024 ** 2],
  ['g', 1024 ** 3],
  ['t', 1024 ** 4],
])

/** The JSON schema pattern of the notation that {@link durationMs} parses. */
export const DURATION_PATTERN = '^[0-9]{1,12}[smhdwy]?$'

/** The JSON schema pattern of the notation that {@link sizeBytes} parses. */
export const SIZE_PATTERN = '^[0-9]{1,12}([kKmMgGtT]([iI]?[bB])?|[bB])?$'

/** Milliseconds in a duration as Synapse writes it: a bare number is milliseconds, else `s m h d w y`. */
export function durationMs(value: number | string): number {
  if (typeof value === 'number') return value
  const unit = /[smhdwy]?$/.exec(value)![0]
  return Number.parseInt(value, 10) * DURATION_MS.get(unit)!
}

/** Returns the bytes of a size in Synapse's notation: a bare number is bytes; `K`, `M`, `G` and `T` are powers of 1024. */
export function sizeBytes(value: number | string): number {
  if (typeof value === 'number') return value
  const unit = /[a-z]?/i.exec(value.replace(/^\d+/, ''))![0].toLowerCase()
  return Number.parseInt(value, 10) * SIZE_BYTES.get(unit === 'b' ? '' : unit)!
}
