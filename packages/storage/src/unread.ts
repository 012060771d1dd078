// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from './database.ts'
import { eventIdOf } from './event-ids.ts'
import { roomNid, userNid } from './names.ts'
import type { Position } from './schema.ts'

/** A user's own read receipts in a room: how far they have read, per thread. */
export interface ReadUpTo {
  /** Covers every thread. */
  readonly everywhere: Position
  /** By thread root, and `main` for what is in no thread. */
  readonly threads: ReadonlyMap<string, Position>
}

/** Events that notify (or highlight) in one thread of a room. */
export interface UnreadCount {
  /** The thread's root; undefined for the main timeline. */
  readonly thread: EventId | undefined
  readonly notifications: number
  readonly highlights: number
}

/** How far a user has read a room, by their own public and private receipts, whichever is further. */
export async function readUpTo(db: Read, roomId: RoomId, user: UserId): Promise<ReadUpTo> {
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  const threads = new Map<string, Position>()
  if (room === undefined || nid === undefined) return { everywhere: 0, threads }
  const rows = await db
    .selectFrom('receipts')
    .select(['thread_id', 'event_position'])
    .where('room_nid', '=', room)
    .where('user_nid', '=', nid)
    .where('kind', 'in', ['m.read', 'm.read.private'])
    .execute()
  for (const { thread_id: thread, event_position: position } of rows) {
    threads.set(thread, Math.max(position, threads.get(thread) ?? 0))
  }
  const everywhere = threads.get('') ?? 0
  threads.delete('')
  return { everywhere, threads }
}

/** Counts what notifies a user who keeps the default push rules, thread by thread, after one position and up to another. */
export async function unreadBetween(
  db: Read,
  {
    roomId,
    user,
    after,
    upTo,
  }: { readonly roomId: RoomId; readonly user: UserId; readonly after: Position; readonly upTo: Position },
  read: ReadUpTo,
): Promise<UnreadCount[]> {
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  if (room === undefined || nid === undefined) return []
  const rows = await db
    .selectFrom('events')
    .leftJoin('highlights', (join) =>
      join
        .onRef('highlights.room_nid', '=', 'events.room_nid')
        .onRef('highlights.position', '=', 'events.position')
        .on('highlights.user_nid', '=', nid),
    )
    .leftJoin('events as roots', 'roots.event_nid', 'events.thread_nid')
    .select(['events.position', 'events.notifies', 'highlights.user_nid as named', 'roots.event_id as thread'])
    .where('events.room_nid', '=', room)
    .where('events.position', 'is not', null)
    .where('events.position', '>', after)
    .where('events.position', '<=', upTo)
    .where('events.sender_nid', '<>', nid)
    .where('events.status', '=', 0)
    .where('events.redacted_by', 'is', null)
    .where((row) => row.or([row('events.notifies', '>', 0), row('highlights.user_nid', 'is not', null)]))
    .execute()
  const counts = new Map<EventId | undefined, { notifications: number; highlights: number }>()
  for (const row of rows) {
    const thread = row.thread ? eventIdOf(row.thread) : undefined
    if ((row.position ?? 0) <= (read.threads.get(thread ?? 'main') ?? 0)) continue
    const count = counts.get(thread) ?? { notifications: 0, highlights: 0 }
    count.notifications++
    if (row.notifies === 2 || row.named !== null) count.highlights++
    counts.set(thread, count)
  }
  return [...counts].map(([thread, count]) => ({ thread, ...count }))
}
