// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { inChunks } from '../../engine/database.ts'
import type { Read } from '../../engine/database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { EVENT_STATUS, eventsByNid } from './events.ts'
import { roomNid } from '../../engine/names.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import type { StoredEvent } from '../../schema/stored-event.ts'

/** A walk through related events: relation type, event type, and exclusive bounds. */
export interface RelationWalk {
  readonly roomId: RoomId
  readonly parents: readonly EventId[]
  readonly relType?: string | undefined
  readonly eventType?: string | undefined
  readonly direction: 'forward' | 'backward'
  readonly after: Position
  readonly before: Position
  readonly limit: number
}

/** Returns events of a room that relate to any of these, redacted ones left out, in the order of the walk. */
export async function relatingEvents(db: Read, walk: RelationWalk): Promise<StoredEvent[]> {
  const room = await roomNid(db, walk.roomId)
  if (room === undefined || walk.limit === 0) return []
  const isBackward = walk.direction === 'backward'
  const found = await inChunks(walk.parents.map(eventIdBytes), (chunk) =>
    relating(db, room, walk, chunk)
      .select(['event_nid', 'position'])
      .where('position', '>', walk.after)
      .where('position', '<', walk.before)
      .orderBy('position', isBackward ? 'desc' : 'asc')
      .limit(walk.limit)
      .execute(),
  )
  const sign = isBackward ? -1 : 1
  const nids = found
    .sort((a, b) => sign * ((a.position ?? 0) - (b.position ?? 0)))
    .slice(0, walk.limit)
    .map((row) => row.event_nid)
  const events = await eventsByNid(db, nids)
  return nids.flatMap((nid) => events.get(nid) ?? [])
}

/** Returns the ids of events that relate to any of these, in the order of {@link relatingEvents}, at most `limit`. */
export async function relatingIds(
  db: Read,
  walk: Pick<RelationWalk, 'roomId' | 'parents' | 'relType' | 'eventType' | 'limit'>,
): Promise<EventId[]> {
  const room = await roomNid(db, walk.roomId)
  if (room === undefined) return []
  const rows = await inChunks(walk.parents.map(eventIdBytes), (chunk) =>
    relating(db, room, walk, chunk).select('event_id').orderBy('position').limit(walk.limit).execute(),
  )
  return rows.slice(0, walk.limit).map((row) => eventIdOf(row.event_id))
}

function relating(
  db: Read,
  room: Nid,
  { relType, eventType }: Pick<RelationWalk, 'relType' | 'eventType'>,
  parents: readonly Uint8Array[],
) {
  let query = db
    .selectFrom('events')
    .where('relates_to', 'in', parents)
    .where('relates_to', 'is not', null)
    .where('room_nid', '=', room)
    .where('status', '=', EVENT_STATUS.accepted)
    .where('position', 'is not', null)
    .where('redacted_by', 'is', null)
  if (relType !== undefined) query = query.where('rel_type', '=', relType)
  if (eventType !== undefined) query = query.where('type', '=', eventType)
  return query
}
