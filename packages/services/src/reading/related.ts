// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { relatedTo } from '@myelin/storage/rooms/events/children'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { EventFilter } from '../room-state/event-filter.ts'

/**
 * Returns the IDs of events that pass a filter's `related_by_…` members; undefined if the filter has none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#filtering
 */
export async function relatedAsAsked(
  db: Read,
  roomId: RoomId,
  events: readonly StoredEvent[],
  { relatedBy }: Pick<EventFilter, 'relatedBy'>,
): Promise<ReadonlySet<EventId> | undefined> {
  if (!relatedBy) return undefined
  const ids = events.map(({ pdu }) => pdu.id)
  return relatedTo(db, roomId, ids, relatedBy)
}
