// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import { EVENT_STATUS, eventsByNid } from './events.ts'
import { roomNid } from '../../engine/names.ts'
import type { Position } from '../../schema/schema.ts'
import type { StoredEvent } from '../../schema/stored-event.ts'

/** A place in a room by the time its events bear; of two of a time, the one that came first stands first. */
export interface TimePlace {
  readonly ts: number
  /** Absent: the search begins at the time itself, which counts. */
  readonly position?: Position
}

/** Returns a room's events by the time they bear, the nearest to a place first; soft-failed and rejected events left out. */
export async function eventsByTime(
  db: Read,
  search: {
    readonly roomId: RoomId
    readonly direction: 'forward' | 'backward'
    readonly from: TimePlace
    readonly limit: number
  },
): Promise<StoredEvent[]> {
  const nid = await roomNid(db, search.roomId)
  if (nid === undefined) return []
  const isForward = search.direction === 'forward'
  const { ts, position } = search.from
  const order = isForward ? 'asc' : 'desc'
  let query = db
    .selectFrom('events')
    .select('event_nid')
    .where('room_nid', '=', nid)
    .where('position', 'is not', null)
    .where('status', '=', EVENT_STATUS.accepted)
    .where('origin_server_ts', isForward ? '>=' : '<=', ts)
    .orderBy('origin_server_ts', order)
    .orderBy('position', order)
    .limit(search.limit)
  if (position !== undefined) {
    query = query.where((row) =>
      row.or([row('origin_server_ts', isForward ? '>' : '<', ts), row('position', isForward ? '>' : '<', position)]),
    )
  }
  const rows = await query.execute()
  const events = await eventsByNid(
    db,
    rows.map((row) => row.event_nid),
  )
  return rows.flatMap((row) => events.get(row.event_nid) ?? [])
}
