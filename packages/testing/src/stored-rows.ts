// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventIdOf } from '@myelin/storage/rooms/events/event-ids'

/** Returns the rows of reports to the admins, oldest first, without their numbers. */
export async function storedReports(db: Read) {
  const columns = ['reporter', 'room_id', 'event_id', 'target', 'reason'] as const
  const rows = await db.selectFrom('reports').select(columns).orderBy('report_nid').execute()
  // Rows of SQLite have no prototype.
  return rows.map((row) => ({ ...row }))
}

/** Returns the IDs of the events of other servers' users that this server sends to the other resident servers. */
export async function relayedEvents(db: Read): Promise<EventId[]> {
  const rows = await db
    .selectFrom('relayed_events')
    .innerJoin('events', 'events.event_nid', 'relayed_events.event_nid')
    .select('events.event_id')
    .execute()
  return rows.map((row) => eventIdOf(row.event_id))
}
