// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import { eventsById } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

// Redactions known to have an effect.
const effective = new DatabaseCache<true>('effectiveRedactions', 20_000)

/**
 * Returns the events without redactions that had no effect: their target is unknown, in another room, or was not theirs
 * to redact. A client would apply them. If the target arrives later, it arrives redacted.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions
 */
export async function withoutIneffectiveRedactions(
  db: Read,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  const cache = effective.of(db)
  const unsure = events.filter(
    ({ nid, pdu }) => pdu.type === 'm.room.redaction' && pdu.redacts !== undefined && !cache.get(`${nid}`),
  )
  if (unsure.length === 0) return events
  const targets = await eventsById(
    db,
    unsure.flatMap(({ pdu }) => pdu.redacts ?? []),
  )
  const redacted = new Map(targets.flatMap((each) => (each.redactedBy === null ? [] : [[each.pdu.id, each]])))
  const ineffective = new Set(
    unsure.filter(({ pdu }) => redacted.get(pdu.redacts ?? pdu.id)?.pdu.roomId !== pdu.roomId),
  )
  if (db.topicPositions.position !== undefined)
    for (const event of unsure) if (!ineffective.has(event)) cache.set(`${event.nid}`, true)
  return events.filter((event) => !ineffective.has(event))
}
