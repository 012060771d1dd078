// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { renderEvents } from '../../reading/render.ts'
import { syncFilterOf } from '../../room-state/event-filter.ts'
import type { SyncFilter } from '../../room-state/event-filter.ts'
import { printPosition } from '../../room-state/page-token.ts'
import type { Slice } from '../sync-request.ts'
import type { Timeline } from '../timeline.ts'
import type { ResultTimeline } from './room-result.ts'

/** The filter of sliding sync, which has none of its own. */
export const NO_FILTER: SyncFilter = syncFilterOf({})

/** Returns the slice with another limit of the timeline. */
export function withTimelineLimit(slice: Slice, limit: number): Slice {
  const filter = { ...NO_FILTER, timeline: { ...NO_FILTER.timeline, limit } }
  return { ...slice, request: { ...slice.request, filter } }
}

/** Returns a timeline in the form of an answer. */
export async function resultTimeline(db: Read, slice: Slice, timeline: Timeline): Promise<ResultTimeline> {
  const { since } = slice
  const view = { requester: slice.request.requester, now: slice.now, format: { hasRoomId: false } }
  const live = since ? timeline.events.filter(({ position }) => (position ?? 0) > since.position) : []
  return {
    events: await renderEvents(db, timeline.events, { ...view, bundles: true }),
    stored: timeline.events,
    isLimited: timeline.isLimited,
    prevBatch: printPosition(timeline.startsAfter),
    liveCount: live.length,
  }
}

/** Returns state events in the form of an answer. */
export async function renderState(db: Read, slice: Slice, nids: Iterable<number>): Promise<RawJson[]> {
  const events = [...(await cachedEvents(db, [...new Set(nids)])).values()]
  return renderEvents(db, events, {
    requester: slice.request.requester,
    now: slice.now,
    format: { hasRoomId: false },
  })
}

/** Returns the senders of a timeline and the members that its member events are about. */
export function membersInTimeline(events: readonly StoredEvent[]): Set<string> {
  const members = new Set<string>()
  for (const { pdu } of events) {
    members.add(pdu.sender)
    if (pdu.type === 'm.room.member' && pdu.stateKey !== undefined) members.add(pdu.stateKey)
  }
  return members
}

/** Returns the text in the content of a state event; undefined where there is none, or no text. */
export async function textOf(db: Read, nid: number | undefined, name: string): Promise<string | undefined> {
  if (nid === undefined) return undefined
  const event = (await cachedEvents(db, [nid])).get(nid)
  return event?.redactedBy === null ? stringMember(event.pdu.content, name) : undefined
}
