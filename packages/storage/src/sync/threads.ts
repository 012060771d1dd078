// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read } from '../engine/database.ts'
import { eventIdBytes, eventIdOf } from '../rooms/events/event-ids.ts'
import { EVENT_STATUS } from '../rooms/events/events.ts'
import { roomNid, userNid } from '../engine/names.ts'
import type { Nid, Position } from '../schema/schema.ts'

/** The user who lists threads, and their ignored users. */
export interface ThreadReader {
  readonly userId: UserId
  readonly ignored: ReadonlySet<string>
}

/** A thread as far as its reader sees it: how many events, the number of the latest, and whether the reader wrote any of them. */
export interface Thread {
  readonly root: EventId
  readonly count: number
  readonly latest: Nid
  readonly isIn: boolean
}

/** Returns the threads that start at these events of a room, by their roots; redacted replies do not count. */
export async function threadsAt(
  db: Read,
  roomId: RoomId,
  roots: readonly EventId[],
  reader: ThreadReader,
): Promise<Map<EventId, Thread>> {
  const room = await roomNid(db, roomId)
  if (room === undefined || roots.length === 0) return new Map()
  const [me, ignored] = [(await userNid(db, reader.userId)) ?? -1, await nidsOf(db, reader.ignored)]
  const rows = await inChunks(roots.map(eventIdBytes), (chunk) => {
    const query = db
      .selectFrom('events')
      .select((row) => [
        'relates_to',
        row.fn.countAll<number>().as('replies'),
        row.fn.max<Position>('position').as('latest'),
        row.fn.max(row.case().when('sender_nid', '=', me).then(1).else(0).end()).as('mine'),
      ])
      .where('relates_to', 'in', chunk)
      .where('relates_to', 'is not', null)
      .where('rel_type', '=', 'm.thread')
      .where('room_nid', '=', room)
      .where('status', '=', EVENT_STATUS.accepted)
      .where('position', 'is not', null)
      .where('redacted_by', 'is', null)
      .groupBy('relates_to')
    return (ignored.length === 0 ? query : query.where('sender_nid', 'not in', ignored)).execute()
  })
  const latest = await nidsAt(
    db,
    room,
    rows.map((row) => row.latest),
  )
  return new Map(
    rows.flatMap(({ relates_to: id, replies, latest: position, mine }): [EventId, Thread][] => {
      const nid = latest.get(position)
      if (id === null || nid === undefined) return []
      const root = eventIdOf(id)
      return [[root, { root, count: Number(replies), latest: nid, isIn: Number(mine) === 1 }]]
    }),
  )
}

async function nidsAt(db: Read, room: Nid, positions: readonly Position[]): Promise<Map<Position, Nid>> {
  const rows = await inChunks(positions, (chunk) =>
    db
      .selectFrom('events')
      .select(['event_nid', 'position'])
      .where('room_nid', '=', room)
      .where('position', 'is not', null)
      .where('position', 'in', chunk)
      .execute(),
  )
  return new Map(rows.map((row) => [row.position ?? 0, row.event_nid]))
}

async function nidsOf(db: Read, users: ReadonlySet<string>): Promise<Nid[]> {
  const nids = await Promise.all([...users].map((user) => userNid(db, user as UserId)))
  return nids.filter((nid) => nid !== undefined)
}

/** A thread's root with the position of its latest event. */
export interface ThreadPlace {
  readonly root: EventId
  readonly latest: Position
}

/**
 * A page of the threads of a room: those whose latest event up to `upTo` is before `before`; with `isMine` only those
 * in which the reader took part.
 */
export interface ThreadWalk {
  readonly roomId: RoomId
  readonly before: Position
  readonly upTo: Position
  readonly limit: number
  readonly isMine: boolean
}

/** Returns the threads of a room, the one with the latest event first. */
export async function threadsBefore(db: Read, reader: ThreadReader, walk: ThreadWalk): Promise<ThreadPlace[]> {
  const room = await roomNid(db, walk.roomId)
  if (room === undefined) return []
  const [me, ignored] = [(await userNid(db, reader.userId)) ?? -1, await nidsOf(db, reader.ignored)]
  let query = db
    .selectFrom('events as one')
    .select(['one.relates_to', 'one.position'])
    .where('one.room_nid', '=', room)
    .where('one.rel_type', '=', 'm.thread')
    .where('one.position', 'is not', null)
    .where('one.position', '<', walk.before)
    .where('one.status', '=', EVENT_STATUS.accepted)
    .where('one.redacted_by', 'is', null)
    .where((row) => {
      const later = row
        .selectFrom('events as later')
        .select('later.event_nid')
        .whereRef('later.relates_to', '=', 'one.relates_to')
        .where('later.relates_to', 'is not', null)
        .where('later.rel_type', '=', 'm.thread')
        .whereRef('later.position', '>', 'one.position')
        .where('later.position', '<=', walk.upTo)
        .where('later.room_nid', '=', room)
        .where('later.status', '=', EVENT_STATUS.accepted)
        .where('later.redacted_by', 'is', null)
      return row.not(row.exists(ignored.length === 0 ? later : later.where('later.sender_nid', 'not in', ignored)))
    })
  if (ignored.length > 0) query = query.where('one.sender_nid', 'not in', ignored)
  if (walk.isMine) {
    query = query.where((row) =>
      row.or([
        row.exists(
          row
            .selectFrom('events as root')
            .select('root.event_nid')
            .whereRef('root.event_id', '=', 'one.relates_to')
            .where('root.sender_nid', '=', me),
        ),
        row.exists(
          row
            .selectFrom('events as mine')
            .select('mine.event_nid')
            .whereRef('mine.relates_to', '=', 'one.relates_to')
            .where('mine.relates_to', 'is not', null)
            .where('mine.rel_type', '=', 'm.thread')
            .where('mine.sender_nid', '=', me)
            .where('mine.room_nid', '=', room)
            .where('mine.redacted_by', 'is', null),
        ),
      ]),
    )
  }
  const rows = await query.orderBy('one.position', 'desc').limit(walk.limit).execute()
  return rows.flatMap(({ relates_to: id, position }) =>
    id === null || position === null ? [] : [{ root: eventIdOf(id), latest: position }],
  )
}
