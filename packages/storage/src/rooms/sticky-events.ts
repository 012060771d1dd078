// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { internUser, roomNid, userNames, userNid } from '../engine/names.ts'
import { prepared } from '../engine/prepared.ts'
import { topics } from '../engine/topics.ts'
import type { Nid, Position } from '../schema/schema.ts'
import { EVENT_STATUS } from './events/events.ts'

/** A sticky event that clients are shown from a position on. */
export interface StickyEvent {
  readonly nid: Nid
  readonly roomId: RoomId
  readonly position: Position
}

/** An event that is sticky until a time, in ms; without a position it is soft-failed. */
export interface NewStickyEvent {
  readonly nid: Nid
  readonly room: { readonly id: RoomId; readonly nid: Nid }
  readonly sender: UserId
  readonly position: Position | undefined
  readonly endsTs: number
}

/** Records that an event is sticky. */
export async function putStickyEvent(tx: Tx, { nid, room, sender, position, endsTs }: NewStickyEvent): Promise<void> {
  await tx
    .insertInto('sticky_events')
    .values({
      event_nid: nid,
      room_nid: room.nid,
      sender_nid: await internUser(tx, sender),
      position: position ?? 0,
      ends_ts: endsTs,
    })
    .onConflict((at) => at.column('event_nid').doNothing())
    .execute()
  tx.touch(topics.stickyEvents)
  if (position !== undefined) touchRoom(tx, room.id)
}

/** Shows a sticky event that was soft-failed to clients, from a position on. */
export async function showStickyEvent(tx: Tx, roomId: RoomId, nid: Nid, position: Position): Promise<void> {
  await tx.updateTable('sticky_events').set({ position }).where('event_nid', '=', nid).execute()
  tx.touch(topics.stickyEvents)
  touchRoom(tx, roomId)
}

function touchRoom(tx: Tx, roomId: RoomId): void {
  tx.touch(topics.sticky(roomId))
  // Waiting clients listen to the room.
  tx.touch(roomId)
}

/** Returns how many events are sticky in a room at a time (ms), in total and of one sender. */
export async function countStickyEvents(
  db: Read,
  room: Nid,
  sender: UserId,
  now: number,
): Promise<{ readonly inRoom: number; readonly ofSender: number; readonly firstEndsTs: number | undefined }> {
  const user = await userNid(db, sender)
  const rows = await db
    .selectFrom('sticky_events')
    .select((each) => [
      'sender_nid',
      each.fn.countAll<number>().as('count'),
      each.fn.min<number | null>('ends_ts').as('first'),
    ])
    .where('room_nid', '=', room)
    .where('ends_ts', '>', now)
    .groupBy('sender_nid')
    .execute()
  const own = rows.find((row) => row.sender_nid === user)
  return {
    inRoom: rows.reduce((sum, row) => sum + Number(row.count), 0),
    ofSender: Number(own?.count ?? 0),
    firstEndsTs: own?.first == null ? undefined : Number(own.first),
  }
}

/** The sticky events to read: shown after a position and up to another, not over at `now` (ms), the oldest first. */
export interface StickyBounds {
  readonly after: Position
  readonly upTo: Position
  readonly now: number
  readonly limit?: number
}

const unexpired = (db: Read, { after, upTo, now, limit = Number.MAX_SAFE_INTEGER }: StickyBounds) =>
  db
    .selectFrom('sticky_events')
    .innerJoin('events', 'events.event_nid', 'sticky_events.event_nid')
    .innerJoin('rooms', 'rooms.room_nid', 'sticky_events.room_nid')
    .select(['sticky_events.event_nid', 'sticky_events.position', 'sticky_events.sender_nid', 'rooms.room_id'])
    .where('sticky_events.position', '>', after)
    .where('sticky_events.position', '<=', upTo)
    .where('sticky_events.ends_ts', '>', now)
    .where('events.redacted_by', 'is', null)
    .where('events.status', '=', EVENT_STATUS.accepted)
    .orderBy('sticky_events.position')
    .limit(limit)

const stickyFrom = (row: { event_nid: Nid; position: Position; room_id: RoomId }): StickyEvent => ({
  nid: row.event_nid,
  roomId: row.room_id,
  position: row.position,
})

/** Returns the sticky events of the rooms that a user is joined to. */
export async function stickyEventsFor(db: Read, user: UserId, bounds: StickyBounds): Promise<StickyEvent[]> {
  const nid = await userNid(db, user)
  if (nid === undefined) return []
  const rows = await unexpired(db, { ...bounds, after: Math.max(0, bounds.after) })
    .where((row) =>
      row.exists(
        row
          .selectFrom('members')
          .select('members.room_nid')
          .whereRef('members.room_nid', '=', 'sticky_events.room_nid')
          .where('members.user_nid', '=', nid)
          .where('members.membership', '=', 'join'),
      ),
    )
    .execute()
  return rows.map(stickyFrom)
}

/** Returns the sticky events of a room. */
export async function stickyEventsIn(db: Read, roomId: RoomId, bounds: StickyBounds): Promise<StickyEvent[]> {
  const room = await roomNid(db, roomId)
  if (room === undefined) return []
  const rows = await unexpired(db, bounds).where('sticky_events.room_nid', '=', room).execute()
  return rows.map(stickyFrom)
}

/** Returns the sticky events of a room that a server's users sent. */
export async function stickyEventsOfServer(
  db: Read,
  server: ServerName,
  roomId: RoomId,
  bounds: StickyBounds,
): Promise<StickyEvent[]> {
  const room = await roomNid(db, roomId)
  if (room === undefined) return []
  const rows = await unexpired(db, bounds).where('sticky_events.room_nid', '=', room).execute()
  const senders = await userNames(
    db,
    rows.map((row) => row.sender_nid),
  )
  return rows.flatMap((row) => {
    const sender = senders.get(row.sender_nid)
    return sender !== undefined && serverOf(sender) === server ? [stickyFrom(row)] : []
  })
}

/** Returns the rooms that have sticky events at a time (ms). */
export async function roomsWithStickyEvents(db: Read, now: number): Promise<ReadonlySet<RoomId>> {
  return new Set((await stickyRooms(db, now)).map((row) => row.room_id))
}

const stickyRooms = prepared((db, now: number) =>
  db
    .selectFrom('sticky_events')
    .innerJoin('rooms', 'rooms.room_nid', 'sticky_events.room_nid')
    .select('rooms.room_id')
    .distinct()
    .where('sticky_events.ends_ts', '>', now)
    .where('sticky_events.position', '>', 0),
)

/** Returns the times (ms) at which stickiness ends, of those events that are shown as sticky. */
export async function stickyEndsOf(db: Read, nids: readonly Nid[]): Promise<ReadonlyMap<Nid, number>> {
  if (nids.length === 0) return new Map()
  const rows = await db
    .selectFrom('sticky_events')
    .select(['event_nid', 'ends_ts'])
    .where('event_nid', 'in', [...nids])
    .where('position', '>', 0)
    .execute()
  return new Map(rows.map((row) => [row.event_nid, row.ends_ts]))
}

/** Returns the soft-failed events that would be sticky at a time (ms), with their rooms; the oldest first, at most `limit`. */
export async function softFailedStickyEvents(
  db: Read,
  now: number,
  limit: number,
): Promise<{ readonly nid: Nid; readonly roomId: RoomId }[]> {
  const rows = await db
    .selectFrom('sticky_events')
    .innerJoin('rooms', 'rooms.room_nid', 'sticky_events.room_nid')
    .select(['sticky_events.event_nid', 'rooms.room_id'])
    .where('sticky_events.position', '=', 0)
    .where('sticky_events.ends_ts', '>', now)
    .orderBy('sticky_events.event_nid')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ nid: row.event_nid, roomId: row.room_id }))
}

/** Returns when the stickiness of the next event ends, in ms; undefined where no event is sticky. */
export async function nextStickyEndTs(db: Read): Promise<number | undefined> {
  const row = await db.selectFrom('sticky_events').select('ends_ts').orderBy('ends_ts').limit(1).executeTakeFirst()
  return row?.ends_ts
}

/** Deletes the records of events whose stickiness is over at a time (ms), at most `limit`; returns their number. The events stay. */
export async function dropEndedStickiness(tx: Tx, now: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('sticky_events')
    .select('event_nid')
    .where('ends_ts', '<=', now)
    .orderBy('ends_ts')
    .limit(limit)
    .execute()
  const nids = rows.map((row) => row.event_nid)
  if (nids.length > 0) await tx.deleteFrom('sticky_events').where('event_nid', 'in', nids).execute()
  return nids.length
}
