// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import type { CachedRoom } from '@myelin/storage/rooms/cached-room'
import { reachesBackTo, roomTail, timeline } from '@myelin/storage/rooms/events/events'
import { newestGap } from '@myelin/storage/rooms/events/outliers'
import { justAfter, justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { passes } from '../room-state/event-filter.ts'
import { relatedAsAsked } from '../reading/related.ts'
import { withoutIneffectiveRedactions } from '../reading/ineffective-redactions.ts'
import { visibleTo } from '../reading/visible.ts'
import type { Slice } from './sync-request.ts'

/** The newest events of a room in a slice, oldest first. */
export interface Timeline {
  readonly events: readonly StoredEvent[]
  /** Events were dropped because of the limit. */
  readonly isLimited: boolean
  /** The position before the first event; the end of the slice if there is no event. */
  readonly startsAfter: number
  /** The state before the first event, if it is not the state of the position before: history is missing there. */
  readonly startRoot?: number
}

const DEFAULT_LIMIT = 10
const MAX_LIMIT = 1000
// The limit of events read, including those that the filter hides.
const MAX_READ = 2000

/** A part of a room's log. `checksVisibility` is needed if the user may not have been joined all the time. */
export interface TimelineBounds {
  readonly roomId: RoomId
  readonly after: number
  readonly upTo: number
  readonly checksVisibility: boolean
  /** The room's newest events, if the part to show ends where the room does. */
  readonly tail?: readonly StoredEvent[] | undefined
  /** The newest event before which history is missing: the timeline starts there at the earliest. */
  readonly gap?: number | undefined
}

/** Reads a room's timeline from its end back to the slice's beginning or the filter's limit. */
export async function readTimeline(db: Read, slice: Slice, bounds: TimelineBounds): Promise<Timeline> {
  const filter = slice.request.filter.timeline
  const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
  const events: StoredEvent[] = []
  let before = justAfter(bounds.upTo)
  let startsAfter = bounds.upTo
  for (let read = 0; read < MAX_READ; ) {
    const size = Math.max(20, limit + 1)
    const page = await pageBefore(db, bounds, before, size)
    const seen = new Set(
      await (bounds.checksVisibility
        ? visibleTo(db, slice.user, bounds.roomId, page)
        : withoutIneffectiveRedactions(db, page)),
    )
    const related = await relatedAsAsked(db, bounds.roomId, page, filter)
    const isAsked = ({ pdu }: StoredEvent) => passes(pdu, filter) && (related?.has(pdu.id) ?? true)
    for (const event of page) {
      const isIgnored = event.pdu.stateKey === undefined && slice.ignored.has(event.pdu.sender)
      if (!isIgnored && seen.has(event) && isAsked(event)) {
        if (events.length >= limit) return { events: events.reverse(), isLimited: true, startsAfter }
        events.push(event)
        startsAfter = justBefore(event.position ?? 1)
      }
      before = event.position ?? before
      if (before === bounds.gap)
        return {
          events: events.reverse(),
          isLimited: true,
          startsAfter: justBefore(before),
          startRoot: event.stateBefore,
        }
    }
    read += page.length
    if (page.length < size)
      return { events: events.reverse(), isLimited: false, startsAfter: events.length > 0 ? startsAfter : bounds.after }
  }
  return { events: events.reverse(), isLimited: true, startsAfter }
}

/** Reads the timeline of a joined room up to the end of the slice, with the room's newest events if the slice ends there. */
export async function timelineOfJoined(
  db: Read,
  slice: Slice,
  room: CachedRoom,
  { after, checksVisibility }: Pick<TimelineBounds, 'after' | 'checksVisibility'>,
): Promise<{ readonly timeline: Timeline; readonly tail: readonly StoredEvent[] | undefined }> {
  const { id: roomId, lastPosition, lastGap } = room
  const upTo = slice.upTo.position
  const tail = lastPosition <= upTo ? await roomTail(db, roomId, lastPosition) : undefined
  const gap = lastGap > after ? await newestGap(db, roomId, after, upTo) : undefined
  return { tail, timeline: await readTimeline(db, slice, { roomId, after, upTo, checksVisibility, tail, gap }) }
}

/** Returns the next events backward, from the shared tail or the database. */
async function pageBefore(
  db: Read,
  bounds: TimelineBounds,
  before: number,
  limit: number,
): Promise<readonly StoredEvent[]> {
  const { roomId, after, tail } = bounds
  if (tail) {
    const rest = tail.filter(({ position }) => (position ?? 0) < before && (position ?? 0) > after)
    if (rest.length >= limit || reachesBackTo(tail, after)) return rest.slice(0, limit)
  }
  return timeline(db, { roomId, direction: 'backward', after, before, limit })
}
