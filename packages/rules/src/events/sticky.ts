// SPDX-License-Identifier: Apache-2.0
import { isObject, member } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'

/** The top-level member of a sticky event, under its unstable name. */
export const STICKY_MEMBER = 'msc4354_sticky'

/** The longest time for which an event is sticky, in ms. */
export const MAX_STICKY_MS = 3_600_000

/**
 * Returns for how many ms an event is sticky, at most {@link MAX_STICKY_MS}; undefined for an event that is not. State events and
 * redacted events are not sticky.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
export function stickyDurationOf({ json, stateKey }: Pick<Pdu, 'json' | 'stateKey'>): number | undefined {
  if (stateKey !== undefined) return undefined
  const value = member(json, STICKY_MEMBER)
  const durationMs = isObject(value) ? member(value, 'duration_ms') : undefined
  if (typeof durationMs !== 'number' || !Number.isInteger(durationMs) || durationMs <= 0) return undefined
  return Math.min(durationMs, MAX_STICKY_MS)
}

/** Returns the value of {@link STICKY_MEMBER} for a duration in ms. */
export function stickyValue(durationMs: number): Json {
  return { duration_ms: durationMs }
}
