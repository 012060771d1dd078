// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { nidsOfEvents } from './events/auth-edges.ts'
import { eventIdOf } from './events/event-ids.ts'
import { insertRow, preparedList } from '../engine/prepared.ts'
import { openRoom } from './rooms.ts'
import type { OpenRoom } from './rooms.ts'
import type { Nid } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** The maximum number of forward extremities that a room's row lists: as many as an event may name in `prev_events`. */
export const MAX_LISTED = 20

/** A room's forward extremities as its row has them: the oldest 20, and their number in all. */
export interface ForwardExtremities {
  readonly listed: readonly Nid[]
  readonly count: number
}

/** A forward extremity of a room: an event that no other one names in `prev_events`. */
export interface ForwardExtremity {
  readonly nid: Nid
  readonly id: EventId
  readonly stateAfter: Nid
}

/**
 * Returns a room's forward extremities after an event that names some of them, `covered`, and is one itself where it is
 * `added`. The cost depends on what the event names only: the room's row lists the oldest, the others have rows of their own.
 */
export async function updateForwardExtremities(
  tx: Tx,
  room: OpenRoom,
  { covered, added }: { readonly covered: ReadonlySet<EventId>; readonly added?: Nid },
): Promise<ForwardExtremities> {
  const listed = room.extremityNids.filter((_, at) => !covered.has(room.extremities[at] as EventId))
  let others = room.extremityCount - room.extremityNids.length
  if (others > 0) {
    others -= await dropOthers(tx, room.nid, [...(await nidsOfEvents(tx, [...covered])).values()])
    for (const nid of await oldestOthers(tx, room.nid, Math.min(others, MAX_LISTED - listed.length))) {
      listed.push(nid)
      others--
    }
    await dropOthers(tx, room.nid, listed)
  }
  if (added === undefined) return { listed, count: listed.length + others }
  if (others === 0 && listed.length < MAX_LISTED) listed.push(added)
  else {
    await insertRow(tx, 'more_heads', { room_nid: room.nid, event_nid: added })
    others++
  }
  return { listed, count: listed.length + others }
}

/**
 * Drops late events that have successors from a room's forward extremities, and marks the room for state resolution. Does
 * nothing where none of them is a forward extremity.
 */
export async function removeForwardExtremities(tx: Tx, roomId: RoomId, covered: ReadonlySet<EventId>): Promise<void> {
  const room = await openRoom(tx, roomId)
  if (!room || (room.extremityCount === room.extremityNids.length && !room.extremities.some((id) => covered.has(id))))
    return
  const extremityNids = await updateForwardExtremities(tx, room, { covered })
  if (extremityNids.count === room.extremityCount) return
  await tx
    .updateTable('rooms')
    .set((row) => ({
      extremities: JSON.stringify(extremityNids.listed),
      head_count: extremityNids.count,
      is_unsettled: 1,
      opened: row('opened', '+', 1),
    }))
    .where('room_nid', '=', room.nid)
    .execute()
  tx.touch(topics.unsettled)
}

async function dropOthers(tx: Tx, room: Nid, nids: readonly Nid[]): Promise<number> {
  if (nids.length === 0) return 0
  const rows = await inChunks(nids, (chunk) =>
    tx
      .deleteFrom('more_heads')
      .where('room_nid', '=', room)
      .where('event_nid', 'in', chunk)
      .returning('event_nid')
      .execute(),
  )
  return rows.length
}

async function oldestOthers(tx: Tx, room: Nid, limit: number): Promise<Nid[]> {
  if (limit <= 0) return []
  const rows = await tx
    .selectFrom('more_heads')
    .select('event_nid')
    .where('room_nid', '=', room)
    .orderBy('event_nid')
    .limit(limit)
    .execute()
  return rows.map((row) => row.event_nid)
}

/** Replaces the forward extremities of a room; returns the columns of the room's row to set. */
export async function putForwardExtremities(
  tx: Tx,
  room: Nid,
  extremityNids: readonly Nid[],
): Promise<{ readonly extremities: string; readonly head_count: number }> {
  await dropUnlistedExtremities(tx, room)
  for (const nid of extremityNids.slice(MAX_LISTED))
    await insertRow(tx, 'more_heads', { room_nid: room, event_nid: nid })
  return { extremities: JSON.stringify(extremityNids.slice(0, MAX_LISTED)), head_count: extremityNids.length }
}

/** Deletes all forward extremities but those that the room's row lists. */
export async function dropUnlistedExtremities(tx: Tx, room: Nid): Promise<void> {
  await tx.deleteFrom('more_heads').where('room_nid', '=', room).execute()
}

/** Returns all forward extremities of a room with the state after each, without loading events. */
export async function forwardExtremitiesOf(db: Read, room: Nid): Promise<ForwardExtremity[]> {
  const row = await db.selectFrom('rooms').select('extremities').where('room_nid', '=', room).executeTakeFirst()
  const others = await db.selectFrom('more_heads').select('event_nid').where('room_nid', '=', room).execute()
  const nids = [...(JSON.parse(row?.extremities ?? '[]') as Nid[]), ...others.map((other) => other.event_nid)]
  const rows = await statesAfter(db, nids)
  return rows.map((each) => ({ nid: each.event_nid, id: eventIdOf(each.event_id), stateAfter: each.state_after }))
}

const statesAfter = preparedList((db, nids: readonly Nid[]) =>
  db.selectFrom('events').select(['event_nid', 'event_id', 'state_after']).where('event_nid', 'in', nids),
)
