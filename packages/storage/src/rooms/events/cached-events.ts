// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import { EVENT_STATUS, eventsByNid } from './events.ts'
import { DatabaseCache } from '../../engine/cached-reader.ts'
import { roomNid } from '../../engine/names.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import type { StoredEvent } from '../../schema/stored-event.ts'
import { topics } from '../../engine/topics.ts'

// The estimated cost of looking an event up.
const ROW_COST_US = 1

/** An event as it was read; `unplacedIn` is its room where the event had no place in the timeline. */
type Known = {
  readonly readAt: Position
  readonly event: StoredEvent
  readonly room: Nid
  readonly unplacedIn: RoomId | undefined
}

const cache = new DatabaseCache<Known>('cachedEvents', 20_000)

/**
 * Returns events by number, as a map, each read once until something in its room is redacted, or the room's members become known.
 *
 * Of an event that has its place in the timeline, nothing else changes any more. One without, as of the state that a join
 * brought, is read again once anything in its room is new, since it may have got a place.
 */
export async function cachedEvents(db: Read, nids: readonly Nid[]): Promise<Map<Nid, StoredEvent>> {
  const readAt = db.topicPositions.position
  if (readAt === undefined) return eventsByNid(db, nids)
  const entries = cache.of(db)
  const found = new Map<Nid, StoredEvent>()
  const missing: Nid[] = []
  for (const nid of nids) {
    const known = entries.get(String(nid))
    if (known && !hasChanged(db, known)) found.set(nid, known.event)
    else missing.push(nid)
    const pausing = step(ROW_COST_US)
    if (pausing) await pausing
  }
  for (const [nid, event] of await eventsByNid(db, missing)) {
    found.set(nid, event)
    const room = await roomNid(db, event.pdu.roomId)
    const pausing = step(ROW_COST_US)
    if (pausing) await pausing
    if (room === undefined || event.status !== EVENT_STATUS.accepted) continue
    const unplacedIn = event.position === null ? event.pdu.roomId : undefined
    entries.set(String(nid), { readAt, event, room, unplacedIn })
  }
  return found
}

function hasChanged({ topicPositions }: Read, { room, readAt, unplacedIn }: Known): boolean {
  const isChanged = (topic: string) => topicPositions.changedSince(topic, readAt)
  if (isChanged(topics.redacted(room)) || isChanged(topics.recast(room))) return true
  return unplacedIn !== undefined && (isChanged(unplacedIn) || isChanged(topics.history(room)))
}
