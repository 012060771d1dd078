// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read } from '../engine/database.ts'
import { eventIdOf } from '../rooms/events/event-ids.ts'
import { roomNid, userNid, userNids } from '../engine/names.ts'
import { cachedReader, DatabaseCache } from '../engine/cached-reader.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid, Position } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** The read position of a user in a room: by public or private receipts, and by their own events. */
export interface ReadUpTo {
  /** The main timeline. */
  readonly main: Position
  /** The receipt position that covers every thread. */
  readonly everywhere: Position
  /** By thread root. */
  readonly threads: ReadonlyMap<string, Position>
}

/** Events that notify (or highlight) in one thread of a room. */
export interface UnreadCount {
  /** The thread's root; undefined for the main timeline. */
  readonly thread: EventId | undefined
  readonly notifications: number
  readonly highlights: number
}

/** The room, the user, and the position for which unread counts are requested. */
export interface UnreadQuestion {
  readonly roomId: RoomId
  readonly user: UserId
  readonly joined: Position
  readonly upTo: Position
  /** The room's counter, if `upTo` is where the room ends. */
  readonly notified?: number
  /** The user's last event in the main timeline, if the asker has it at hand. */
  readonly lastOwn?: OwnEvent
  /** Returns whether the caller knows all events since a position; `lastOwn` is then among them if there is one. */
  readonly knowsSince?: (position: Position) => boolean
  /** Users whose events the reader does not see: they are not counted. */
  readonly ignored: ReadonlySet<string>
}

type OwnEvent = { readonly position: Position; readonly notified?: number }

const lastOwns = new DatabaseCache<{ readonly upTo: Position; readonly event: OwnEvent }>('ownEvents', 50_000)

/**
 * Returns the user's last event in the main timeline of a room. It is looked up once and then updated from the events
 * that the caller knows. Events up to `read` are not examined: they are read anyway.
 */
async function lastOwnOf(db: Read, question: Omit<UnreadQuestion, 'ignored'>, place: OwnPlace): Promise<OwnEvent> {
  const { upTo, lastOwn, knowsSince } = question
  if (db.topicPositions.position === undefined || upTo > db.topicPositions.position)
    return lastOwn ?? lastOwnIn(db, place, place.read, upTo)
  const [cache, key] = [lastOwns.of(db), `${place.room} ${place.user}`]
  const kept = cache.get(key)
  const earlier = kept && kept.upTo <= upTo ? kept : undefined
  const still = earlier && knowsSince?.(earlier.upTo) ? earlier.event : undefined
  const event = lastOwn ?? still ?? (await lastOwnSince(db, place, earlier, upTo))
  if (!kept || kept.upTo < upTo) cache.set(key, { upTo, event })
  return event
}

/** Returns the last event of the user in the room; only what came after an earlier answer is examined. */
async function lastOwnSince(
  db: Read,
  place: OwnPlace,
  earlier: { readonly upTo: Position; readonly event: OwnEvent } | undefined,
  upTo: Position,
): Promise<OwnEvent> {
  if (!earlier) return lastOwnIn(db, place, place.read, upTo)
  const later = await lastOwnIn(db, place, Math.max(place.read, earlier.upTo), upTo)
  return later.position > 0 ? later : earlier.event
}

async function lastOwnIn(db: Read, { room, user }: OwnPlace, after: Position, upTo: Position): Promise<OwnEvent> {
  return { position: (await lastOwnBetween(db, room, user, after, upTo))[0]?.position ?? 0 }
}

type OwnPlace = { readonly room: Nid; readonly user: Nid; readonly read: Position }

const ownReceipts = prepared((db, room: Nid, user: Nid) =>
  db
    .selectFrom('receipts')
    .select(['thread_id', 'event_position'])
    .where('room_nid', '=', room)
    .where('user_nid', '=', user)
    .where('kind', 'in', ['m.read', 'm.read.private']),
)

const receiptsOf = cachedReader(
  'receipts',
  50_000,
  (user: UserId) => topics.readBy(user),
  async (db, user: UserId, roomId: RoomId) => {
    const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
    return room === undefined || nid === undefined ? [] : ownReceipts(db, room, nid)
  },
)

const lastOwnBetween = prepared((db, room: Nid, user: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('events')
    .select('position')
    .where('room_nid', '=', room)
    .where('sender_nid', '=', user)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .where('thread_nid', 'is', null)
    .orderBy('position', 'desc')
    .limit(1),
)

/**
 * Returns how far a user has read a room. Sending an event in the main timeline reads the main timeline up to it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
export async function readUpTo(db: Read, question: Omit<UnreadQuestion, 'ignored'>): Promise<ReadUpTo> {
  const { roomId, user, joined } = question
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  const threads = new Map<string, Position>()
  if (room === undefined || nid === undefined) return { main: joined, everywhere: joined, threads }
  for (const { thread_id: thread, event_position: position } of await receiptsOf(db, user, roomId)) {
    threads.set(thread, Math.max(position, threads.get(thread) ?? 0))
  }
  const everywhere = Math.max(joined, threads.get('') ?? 0)
  const read = Math.max(everywhere, threads.get('main') ?? 0)
  const sent = await lastOwnOf(db, question, { room, user: nid, read })
  return { main: Math.max(read, sent.position), everywhere, threads }
}

const countedUpTo = prepared((db, room: Nid, position: Position) =>
  db
    .selectFrom('events')
    .select('notified')
    .where('room_nid', '=', room)
    .where('position', 'is not', null)
    .where('position', '<=', position)
    .orderBy('position', 'desc')
    .limit(1),
)

const countedAt = new DatabaseCache<number>('notifiedAt', 50_000)

/** Returns the number of notifying events up to a position, which never changes. */
async function countAt(db: Read, room: Nid, position: Position): Promise<number> {
  const [cache, key] = [countedAt.of(db), `${room} ${position}`]
  const kept = cache.get(key)
  if (kept !== undefined) return kept
  const count = (await countedUpTo(db, room, position))[0]?.notified ?? 0
  if (position <= (db.topicPositions.position ?? -1)) cache.set(key, count)
  return count
}

const redactedSince = prepared((db, room: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('events')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('room_nid', '=', room)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .where('redacted_by', 'is not', null)
    .where((row) => row('notifies', '>', row.lit(0)))
    .where('thread_nid', 'is', null),
)

/** Returns how many events of these senders the counter of the main timeline counts in a stretch. */
async function countedOf(db: Read, room: Nid, senders: readonly Nid[], [after, upTo]: Stretch): Promise<number> {
  const rows = await inChunks(senders, (chunk) =>
    db
      .selectFrom('events')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('room_nid', '=', room)
      .where('sender_nid', 'in', chunk)
      .where('position', '>', after)
      .where('position', '<=', upTo)
      .where('redacted_by', 'is', null)
      .where((row) => row('notifies', '>', row.lit(0)))
      .where('thread_nid', 'is', null)
      .execute(),
  )
  return rows.reduce((sum, { count }) => sum + Number(count), 0)
}

type Stretch = readonly [after: Position, upTo: Position]

const forEverybody = prepared((db, room: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('events')
    .select(['position', 'thread_nid', 'sender_nid', 'redacted_by'])
    .where('room_nid', '=', room)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    // The condition is written out, because a partial index is used only if the query repeats its condition.
    .where((row) => row('notifies', '>', row.lit(1))),
)

const byName = prepared((db, room: Nid, user: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('highlights')
    .innerJoin('events', (join) =>
      join.onRef('events.room_nid', '=', 'highlights.room_nid').onRef('events.position', '=', 'highlights.position'),
    )
    .select(['events.position', 'events.thread_nid', 'events.sender_nid', 'events.notifies', 'events.redacted_by'])
    .where('highlights.room_nid', '=', room)
    .where('highlights.user_nid', '=', user)
    .where('highlights.position', '>', after)
    .where('highlights.position', '<=', upTo),
)

const inThreads = prepared((db, room: Nid, user: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('events')
    .innerJoin('events as roots', 'roots.event_nid', 'events.thread_nid')
    .select(['events.position', 'events.thread_nid', 'events.sender_nid', 'roots.event_id as root', 'events.notifies'])
    .where('events.room_nid', '=', room)
    .where('events.position', '>', after)
    .where('events.position', '<=', upTo)
    .where('events.thread_nid', 'is not', null)
    .where((row) => row('events.notifies', '>', row.lit(0)))
    .where('events.sender_nid', '<>', user)
    .where('events.redacted_by', 'is', null),
)

/**
 * Returns the unread counts of a user with the default push rules.
 *
 * The count of the main timeline is the difference of two counters, so its cost is independent of the number of unread
 * events. Only threads and highlights are counted one by one.
 */
export async function unreadCounts(
  db: Read,
  { roomId, user, upTo, notified, lastOwn, ignored }: UnreadQuestion,
  read: ReadUpTo,
  isSubscribed?: (root: string) => boolean,
): Promise<UnreadCount[]> {
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  if (room === undefined || nid === undefined) return []
  const unseen = new Set((await userNids(db, [...ignored] as UserId[])).values())
  const counts: UnreadCount[] = db.topicPositions.changedSince(topics.threads(roomId), read.everywhere)
    ? await threadCounts(db, { room, nid, upTo, unseen, isSubscribed }, read)
    : []
  if (read.main >= upTo) return counts
  const head = notified ?? (await countAt(db, room, upTo))
  const start = (lastOwn?.position === read.main ? lastOwn.notified : undefined) ?? (await countAt(db, room, read.main))
  const difference = head - start
  const isMoved = (topic: string) => db.topicPositions.changedSince(topic, read.main)
  const named = (isMoved(topics.named(user)) ? await byName(db, room, nid, read.main, upTo) : []).filter(
    (row) => row.thread_nid === null && row.redacted_by === null && !unseen.has(row.sender_nid),
  )
  if (difference === 0 && named.length === 0) return counts
  const [gone] = isMoved(topics.redacted(room)) ? await redactedSince(db, room, read.main, upTo) : []
  const loud = (isMoved(topics.loud(roomId)) ? await forEverybody(db, room, read.main, upTo) : []).filter(
    (row) =>
      row.thread_nid === null && row.redacted_by === null && row.sender_nid !== nid && !unseen.has(row.sender_nid),
  )
  const hidden = unseen.size === 0 ? 0 : await countedOf(db, room, [...unseen], [read.main, upTo])
  // An edit that mentions a user highlights for them without counting for all members.
  const extra = named.filter((row) => row.notifies === 0).length
  const both = named.filter((row) => row.notifies > 1).length
  counts.push({
    thread: undefined,
    notifications: difference - Number(gone?.count ?? 0) - hidden + extra,
    highlights: named.length + loud.length - both,
  })
  return counts
}

async function threadCounts(
  db: Read,
  {
    room,
    nid,
    upTo,
    unseen,
    isSubscribed,
  }: {
    room: Nid
    nid: Nid
    upTo: Position
    unseen: ReadonlySet<Nid>
    isSubscribed: ((root: string) => boolean) | undefined
  },
  read: ReadUpTo,
): Promise<UnreadCount[]> {
  const all = await inThreads(db, room, nid, read.everywhere, upTo)
  const rows = all.filter((row) => !unseen.has(row.sender_nid))
  if (rows.length === 0) return []
  const named = new Set((await byName(db, room, nid, read.everywhere, upTo)).map((row) => row.position))
  const counts = new Map<EventId, { notifications: number; highlights: number }>()
  for (const row of rows) {
    const thread = eventIdOf(row.root)
    if ((row.position ?? 0) <= (read.threads.get(thread) ?? 0)) continue
    const isHighlight = row.notifies > 1 || named.has(row.position)
    // A mention notifies in any thread, other events only in those that the user is subscribed to.
    if (isSubscribed && !isHighlight && !isSubscribed(thread)) continue
    const count = counts.get(thread) ?? { notifications: 0, highlights: 0 }
    count.notifications++
    if (isHighlight) count.highlights++
    counts.set(thread, count)
  }
  return [...counts].map(([thread, count]) => ({ thread, ...count }))
}
