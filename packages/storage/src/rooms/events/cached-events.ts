// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import type { Read } from '../../engine/database.ts'
import { EVENT_STATUS, eventsByNid } from './events.ts'
import { DatabaseCache } from '../../engine/cached-reader.ts'
import { roomNid } from '../../engine/names.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import type { StoredEvent } from '../../schema/stored-event.ts'
import { topics } from '../../engine/topics.ts'

// The estimated cost of looking an event up.
const ROW_COST_US = 1

type Known = { readonly readAt: Position; readonly event: StoredEvent; readonly room: Nid }

const cache = new DatabaseCache<Known>('cachedEvents', 20_000)

/**
 * Returns events by number, as a map, each read once until something in its room is redacted, or the room's members become known.
 *
 * Only events that have their place in the timeline are kept: nothing else about them changes any more.
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
    const isSettled = event.position !== null && event.status === EVENT_STATUS.accepted
    if (room !== undefined && isSettled) entries.set(String(nid), { readAt, event, room })
    const pausing = step(ROW_COST_US)
    if (pausing) await pausing
  }
  return found
}

const hasChanged = ({ topicPositions }: Read, { room, readAt }: Known) =>
  topicPositions.changedSince(topics.redacted(room), readAt) || topicPositions.changedSince(topics.recast(room), readAt)
