// SPDX-License-Identifier: Apache-2.0
import type { Read } from '../../engine/database.ts'
import type { Nid, Position } from '../../schema/schema.ts'

/**
 * The log counts in whole numbers. History that is fetched later finds its place between them, a step apart: in front of
 * the event that led to it and behind what we had before. In front of everything we have there are the numbers below zero.
 */
const STEP = 2 ** -16

/** In front of all history. */
export const BEGINNING: Position = Number.MIN_SAFE_INTEGER

/** Returns the position directly before an event; history that is fetched later for the gap there lies before it. */
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
