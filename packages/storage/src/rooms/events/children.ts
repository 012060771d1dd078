// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../../engine/database.ts'
import type { Read } from '../../engine/database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { EVENT_STATUS, eventsRelatingTo } from './events.ts'
import { DatabaseCache } from '../../engine/cached-reader.ts'
import { roomNid } from '../../engine/names.ts'
import { preparedList } from '../../engine/prepared.ts'
import type { Position } from '../../schema/schema.ts'
import type { StoredEvent } from '../../schema/stored-event.ts'
import { topics } from '../../engine/topics.ts'

/** By event: where the log stood when nothing related to it. */
const childless = new DatabaseCache<Position>('childless', 20_000)

/**
 * Returns the events that relate to any of these events of one room, oldest first, at most `limit`, of these types or of all.
 *
 * Children in other rooms, which mean nothing, may or may not be among them.
 */
export async function childrenOf(
  db: Read,
  roomId: RoomId,
  parents: readonly EventId[],
  limit: number,
  relTypes?: readonly string[],
): Promise<StoredEvent[]> {
  const fertile = await eventsWithChildren(db, roomId, parents)
  return fertile.length === 0 ? [] : eventsRelatingTo(db, fertile, relTypes, limit)
}

/**
 * Returns those of these events of one room that anything relates to.
 *
 * Hardly any event has children: which have none is looked up once, and again when something in the room relates to
 * another event.
 */
export async function eventsWithChildren(
  db: Read,
  roomId: RoomId,
  parents: readonly EventId[],
): Promise<readonly EventId[]> {
  const room = await roomNid(db, roomId)
  const readAt = db.topicPositions.position
  if (room === undefined || readAt === undefined) return parents
  const cache = childless.of(db)
  const open = parents.filter((id) => {
    const knownAt = cache.get(id)
    return knownAt === undefined || db.topicPositions.changedSince(topics.related(room), knownAt)
  })
  if (open.length === 0) return []
  const rows = await withChildren(db, open.map(eventIdBytes))
  const fertile = new Set(rows.flatMap(({ relates_to: id }) => (id === null ? [] : [eventIdOf(id)])))
  for (const id of open) if (!fertile.has(id)) cache.set(id, readAt)
  return [...fertile]
}

const withChildren = preparedList((db, parents: readonly Uint8Array[]) =>
  db
    .selectFrom('events')
    .select('relates_to')
    .distinct()
    .where('relates_to', 'in', parents)
    .where('relates_to', 'is not', null)
    .where('status', '=', EVENT_STATUS.accepted)
    .where('position', 'is not', null),
)

/**
 * Returns those of these events of a room to which other events relate, optionally of some relation types and senders.
 * Redacted events do not count.
 */
export async function relatedTo(
  db: Read,
  roomId: RoomId,
  parents: readonly EventId[],
  {
    relTypes,
    senders,
  }: { readonly relTypes: readonly string[] | undefined; readonly senders: readonly string[] | undefined },
): Promise<Set<EventId>> {
  const room = await roomNid(db, roomId)
  if (room === undefined || parents.length === 0 || relTypes?.length === 0 || senders?.length === 0) return new Set()
  const rows = await inChunks(parents.map(eventIdBytes), (chunk) => {
    let query = db
      .selectFrom('events')
      .select('relates_to')
      .distinct()
      .where('relates_to', 'in', chunk)
      .where('relates_to', 'is not', null)
      .where('room_nid', '=', room)
      .where('status', '=', EVENT_STATUS.accepted)
      .where('position', 'is not', null)
      .where('redacted_by', 'is', null)
    if (relTypes) query = query.where('rel_type', 'in', relTypes)
    if (senders) {
      const named = db
        .selectFrom('users')
        .select('user_nid')
        .where('user_id', 'in', senders as readonly UserId[])
      query = query.where('sender_nid', 'in', named)
    }
    return query.execute()
  })
  return new Set(rows.flatMap(({ relates_to: id }) => (id === null ? [] : [eventIdOf(id)])))
}
