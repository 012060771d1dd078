// SPDX-License-Identifier: Apache-2.0
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { searchAgain } from '../rooms/events/searchable.ts'
import type { Nid } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** Between which states an event stands, worked out once the room's members were known. */
export interface Recalculated {
  readonly nid: Nid
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  /** The room's state with the event. */
  readonly roomRoot: Nid
  /** The event whose state key it takes. */
  readonly replaces: Nid | undefined
  /** One of `EVENT_STATUS`. */
  readonly status: number
}

/** Notes that the states an event stands between are provisional; in the unit that keeps it. */
export async function putPartialEvent(tx: Tx, room: Nid, nid: Nid): Promise<void> {
  const row = { room_nid: room, arrival: tx.takeNid(), state_before: 0, state_after: 0, room_root: 0, status: 0 }
  await tx
    .insertInto('partial_events')
    .values({ event_nid: nid, replaces_nid: null, ...row })
    .onConflict((at) => at.column('event_nid').doNothing())
    .execute()
}

/** Returns those of these events whose states are provisional, with the recalculated states where they are known. */
export async function partialEvents(db: Read, nids: readonly Nid[]): Promise<Map<Nid, Recalculated | undefined>> {
  const rows = await inChunks(nids, (chunk) =>
    db.selectFrom('partial_events').selectAll().where('event_nid', 'in', chunk).execute(),
  )
  return new Map(rows.map((row) => [row.event_nid, row.state_after === 0 ? undefined : recalculatedFrom(row)]))
}

/** Returns the events of a room whose states are not recalculated yet, in order of arrival, at most `limit`. */
export async function pendingPartialEvents(db: Read, room: Nid, limit: number): Promise<Nid[]> {
  return (await pending(db, room, limit)).map((row) => row.event_nid)
}

const pending = prepared((db, room: Nid, limit: number) =>
  db
    .selectFrom('partial_events')
    .select('event_nid')
    .where('room_nid', '=', room)
    .where('state_after', '=', 0)
    .orderBy('arrival')
    .limit(limit),
)

/** Returns the last recalculated event that has a place in the timeline; undefined before the first. */
export async function lastRecalculated(db: Read, room: Nid): Promise<Recalculated | undefined> {
  const row = await db
    .selectFrom('partial_events')
    .selectAll()
    .where('room_nid', '=', room)
    .where('room_root', '<>', 0)
    .orderBy('arrival', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && recalculatedFrom(row)
}

/** Returns every event of a room whose states are provisional, with what became of it in the end, as they arrived. */
export async function partialEventsOf(
  db: Read,
  room: Nid,
): Promise<{ readonly nid: Nid; readonly before: number; readonly now: number }[]> {
  const rows = await db
    .selectFrom('partial_events')
    .innerJoin('events', 'events.event_nid', 'partial_events.event_nid')
    .select(['partial_events.event_nid', 'partial_events.status as now', 'events.status as before'])
    .where('partial_events.room_nid', '=', room)
    .orderBy('partial_events.arrival')
    .execute()
  return rows.map((row) => ({ nid: row.event_nid, before: row.before, now: row.now }))
}

/** Stores the recalculated states of an event. Readers see them after {@link applyRecalculated}. */
export async function putRecalculated(tx: Tx, event: Recalculated): Promise<void> {
  await tx
    .updateTable('partial_events')
    .set({
      state_before: event.stateBefore,
      state_after: event.stateAfter,
      room_root: event.roomRoot,
      replaces_nid: event.replaces ?? null,
      status: event.status,
    })
    .where('event_nid', '=', event.nid)
    .execute()
}

/** Puts what the states of a room's events came to in the place of the provisional ones, all at once. */
export async function applyRecalculated(tx: Tx, room: Nid): Promise<void> {
  await tx
    .updateTable('events')
    .from('partial_events')
    .set((row) => ({
      state_before: row.ref('partial_events.state_before'),
      state_after: row.ref('partial_events.state_after'),
      room_root: row.ref('partial_events.room_root'),
      replaces_nid: row.ref('partial_events.replaces_nid'),
      status: row.ref('partial_events.status'),
    }))
    .whereRef('events.event_nid', '=', 'partial_events.event_nid')
    .where('partial_events.room_nid', '=', room)
    .execute()
  tx.touch(topics.recast(room))
}

/** Reverts the effects of an event that is rejected after all: its redaction and its highlights. */
export async function revertEvent(tx: Tx, room: Nid, nid: Nid): Promise<void> {
  const restored = await tx
    .updateTable('events')
    .set({ redacted_by: null })
    .where('room_nid', '=', room)
    .where('position', 'is not', null)
    .where('redacted_by', '=', nid)
    .returning('event_nid')
    .execute()
  for (const { event_nid: event } of restored) await searchAgain(tx, [event])
  await tx
    .deleteFrom('highlights')
    .where('room_nid', '=', room)
    .where('position', 'in', (from) =>
      from
        .selectFrom('events')
        .select('position')
        .where('event_nid', '=', nid)
        .where('position', 'is not', null)
        .$castTo<{ position: number }>(),
    )
    .execute()
  tx.touch(topics.redacted(room))
}

function recalculatedFrom(row: {
  event_nid: Nid
  state_before: Nid
  state_after: Nid
  room_root: Nid
  replaces_nid: Nid | null
  status: number
}): Recalculated {
  return {
    nid: row.event_nid,
    stateBefore: row.state_before,
    stateAfter: row.state_after,
    roomRoot: row.room_root,
    replaces: row.replaces_nid ?? undefined,
    status: row.status,
  }
}
