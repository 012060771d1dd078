// SPDX-License-Identifier: Apache-2.0
import { stickyDurationOf } from '@myelin/rules/events/sticky'
import type { Read } from '@myelin/storage/engine/database'
import { stickyEndsOf } from '@myelin/storage/rooms/sticky-events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

const NONE: ReadonlyMap<number, number> = new Map()

/**
 * Returns the times (ms) at which the stickiness of events ends, by their numbers. Events whose stickiness is over may be among
 * them for a moment; redacted ones are not.
 */
export async function stickyEnds(db: Read, events: readonly StoredEvent[]): Promise<ReadonlyMap<number, number>> {
  // Most events are not sticky, and nothing is read for them.
  const sticky = events.filter(({ pdu, redactedBy }) => redactedBy === null && stickyDurationOf(pdu) !== undefined)
  if (sticky.length === 0) return NONE
  return stickyEndsOf(
    db,
    sticky.map(({ nid }) => nid),
  )
}
