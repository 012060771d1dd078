// SPDX-License-Identifier: Apache-2.0
import type { Read } from '../../engine/database.ts'
import type { Nid, Position } from '../../schema/schema.ts'

/**
 * Positions of the log are integers. History that is backfilled later gets positions between them, a step apart: before
 * the event that led to it and after the events stored earlier. History before the first stored event gets negative
 * positions.
 */
const STEP = 2 ** -16

/** In front of all history. */
export const BEGINNING: Position = Number.MIN_SAFE_INTEGER

/** Returns the position directly before an event; history that fills the gap there gets smaller ones. */
export function justBefore(position: Position): Position {
  return position - STEP / 2
}

/** Returns a place directly behind an event. */
export function justAfter(position: Position): Position {
  return position + STEP / 2
}

/** Returns positions for events before a known one, the newest first; fewer where the gap has no more room. */
export async function placesBefore(db: Read, room: Nid, position: Position, count: number): Promise<Position[]> {
  const below = await db
    .selectFrom('events')
    .select('position')
    .where('room_nid', '=', room)
    .where('position', 'is not', null)
    .where('position', '<', position)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst()
  const indexes = Array.from({ length: count }, (_, index) => index + 1)
  const floor = below?.position
  if (typeof floor !== 'number') return indexes.map((index) => Math.min(0, Math.ceil(position)) - index)
  return indexes.map((index) => position - index * STEP).filter((place) => place > floor)
}

/** Returns where the first event of a room stands that did not arrive as history; undefined where there is none. */
export async function firstOfRoom(
  db: Read,
  room: Nid,
): Promise<{ readonly depth: number; readonly position: Position } | undefined> {
  const row = await db
    .selectFrom('events')
    .select(['depth', 'position'])
    .where('room_nid', '=', room)
    .where('position', '>', 0)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst()
  return row && { depth: row.depth, position: Number(row.position) }
}
