// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { MAX_STICKY_MS } from '@myelin/services/rooms/append/record-sticky'
import type { Requester } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { OptionalInteger, OptionalText } from '../../schemas.ts'

const members = {
  delay: OptionalInteger,
  parent_delay_id: OptionalText,
  'org.matrix.msc4140.delay': OptionalInteger,
  'org.matrix.msc4140.parent_delay_id': OptionalText,
  sticky_duration_ms: OptionalInteger,
  'org.matrix.msc4354.sticky_duration_ms': OptionalInteger,
  ts: OptionalInteger,
}

/**
 * The query parameters that change how an event is sent. {@link delayIn} returns the delay, {@link stickyDurationIn} the sticky
 * duration; {@link refuseModifiers} refuses those that are not supported.
 */
export const EventModifiers = Type.Object(members)

/** The query parameters of a sticky event. */
export const StickyModifiers = Type.Pick(EventModifiers, [
  'sticky_duration_ms',
  'org.matrix.msc4354.sticky_duration_ms',
])

const PARENT = 'delayed events with a parent are not supported'
const REFUSALS: readonly (readonly [name: keyof typeof members, refusal: string])[] = [
  ['parent_delay_id', PARENT],
  ['org.matrix.msc4140.parent_delay_id', PARENT],
  ['ts', '`ts` is for application services only'],
]

/** Returns the delay that a request asks for, in ms; undefined for an event to be sent now. */
export function delayIn(query: Static<typeof EventModifiers>): number | undefined {
  return query['org.matrix.msc4140.delay'] ?? query.delay
}

/**
 * Returns for how many ms the event of a request is to be sticky; undefined for one that is not sticky.
 *
 * @throws MatrixError `M_INVALID_PARAM`
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
export function stickyDurationIn(query: Static<typeof StickyModifiers>): number | undefined {
  const durationMs = query['org.matrix.msc4354.sticky_duration_ms'] ?? query.sticky_duration_ms
  if (durationMs === undefined || (durationMs > 0 && durationMs <= MAX_STICKY_MS)) return durationMs
  throw new MatrixError('M_INVALID_PARAM', `\`sticky_duration_ms\` must be between 1 and ${MAX_STICKY_MS}`)
}

/**
 * Returns the time that an application service gives an event, as a member of its draft.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#timestamp-massaging
 */
export function timestampIn({ ts }: Static<typeof EventModifiers>): { readonly originServerTs?: number } {
  if (ts === undefined) return {}
  if (ts < 0) throw new MatrixError('M_INVALID_PARAM', '`ts` must not be negative')
  return { originServerTs: ts }
}

/** Refuses a sticky duration of a state event; throws `M_INVALID_PARAM`. */
export function refuseStickyState(durationMs: number | undefined): void {
  if (durationMs !== undefined) throw new MatrixError('M_INVALID_PARAM', 'state events cannot be sticky')
}

/**
 * Refuses a request to send an event at another time or in another way than this server would.
 *
 * @throws MatrixError `M_FORBIDDEN`
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export function refuseModifiers(
  query: Static<typeof EventModifiers>,
  { appService }: Pick<Requester, 'appService'>,
): void {
  for (const [name, refusal] of REFUSALS) {
    if (name === 'ts' && appService) continue
    if (Object.hasOwn(query, name)) throw new MatrixError('M_FORBIDDEN', refusal)
  }
}
