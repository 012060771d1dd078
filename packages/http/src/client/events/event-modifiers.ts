// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
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

/** The query parameters that change how an event is sent. None is supported, so {@link refuseModifiers} refuses each. */
export const EventModifiers = Type.Object(members)

// The sentence about delayed events is Synapse's where they are off.
const DELAYED = 'Sending delayed events has been disallowed'
const STICKY = 'sending sticky events is not supported'
const REFUSALS: Readonly<Record<keyof typeof members, string>> = {
  delay: DELAYED,
  parent_delay_id: DELAYED,
  'org.matrix.msc4140.delay': DELAYED,
  'org.matrix.msc4140.parent_delay_id': DELAYED,
  sticky_duration_ms: STICKY,
  'org.matrix.msc4354.sticky_duration_ms': STICKY,
  ts: '`ts` is for application services only',
}

/**
 * Refuses a request to send an event at another time or in another way than this server would.
 *
 * @throws MatrixError `M_FORBIDDEN`
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export function refuseModifiers(query: Static<typeof EventModifiers>): void {
  for (const [name, refusal] of Object.entries(REFUSALS)) {
    if (Object.hasOwn(query, name)) throw new MatrixError('M_FORBIDDEN', refusal)
  }
}
