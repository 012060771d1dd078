// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { topics } from '@myelin/storage/engine/topics'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import { stickyEventsFor, stickyEventsIn } from '@myelin/storage/rooms/sticky-events'
import type { StickyEvent } from '@myelin/storage/rooms/sticky-events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { Slice } from './sync-request.ts'

/** The most sticky events in one answer, except those of rooms that the user just joined. */
export const MAX_STICKY = 100

/** The sticky events of an answer by room, the oldest first, and the position up to which they were read. */
export interface StickySection {
  readonly rooms: ReadonlyMap<RoomId, readonly StoredEvent[]>
  readonly upTo: number
}

/** The sticky events to show: those after a position, in rooms that `isWanted` lets through. */
export interface StickyQuestion {
  readonly after: number
  readonly limit: number
  readonly isWanted: (roomId: RoomId) => boolean
}

/**
 * Returns the sticky events that are new to a client, the oldest first, without those of ignored users. Of a room that the user
 * joined since, it returns all of them; there is no limit then.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
export async function readSticky(
  db: Read,
  slice: Slice,
  { after, limit, isWanted }: StickyQuestion,
): Promise<StickySection> {
  const upTo = slice.upTo.position
  const joined = slice.memberships.filter(
    ({ membership, roomId, position }) => after > 0 && membership === 'join' && position > after && isWanted(roomId),
  )
  const newRooms = new Set(joined.map(({ roomId }) => roomId))
  const found = new Map<RoomId, StoredEvent[]>()
  for (const roomId of newRooms) {
    const events = await shown(db, slice, await stickyEventsIn(db, roomId, { after: 0, upTo, now: slice.now }))
    if (events.length > 0) found.set(roomId, events)
  }
  const hasLimit = newRooms.size === 0
  let left = limit
  for (let from = after; ; ) {
    const page = await stickyEventsFor(db, slice.user, { after: from, upTo, now: slice.now, limit: MAX_STICKY })
    const wanted = page.filter(({ roomId }) => isWanted(roomId) && !newRooms.has(roomId))
    for (const event of await shown(db, slice, wanted)) {
      if (hasLimit && left-- === 0) return { rooms: found, upTo: from }
      const events = found.get(event.pdu.roomId)
      if (events) events.push(event)
      else found.set(event.pdu.roomId, [event])
      from = wanted.find(({ nid }) => nid === event.nid)?.position ?? from
    }
    const last = page.at(-1)
    if (page.length < MAX_STICKY || !last) return { rooms: found, upTo }
    from = last.position
  }
}

/** Returns whether a room may have sticky events that a client does not have. */
export function mayHaveSticky(db: Read, roomId: RoomId, after: number): boolean {
  return db.topicPositions.changedSince(topics.sticky(roomId), after)
}

async function shown(db: Read, slice: Slice, sticky: readonly StickyEvent[]): Promise<StoredEvent[]> {
  const events = await cachedEvents(
    db,
    sticky.map(({ nid }) => nid),
  )
  return sticky.flatMap(({ nid }) => {
    const event = events.get(nid)
    return event && !slice.ignored.has(event.pdu.sender) ? [event] : []
  })
}
