// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { justBefore } from '@myelin/storage/rooms/events/history-positions'
import { newestGap } from '@myelin/storage/rooms/events/outliers'
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { passes } from '../../room-state/event-filter.ts'
import { readDeparture } from '../departure.ts'
import { renderRoomEvents } from '../render-room-events.ts'
import { cutOverruled, readState } from '../room-state.ts'
import { hasChanged } from '../sync-request.ts'
import type { Slice } from '../sync-request.ts'
import { readTimeline } from '../timeline.ts'
import type { Timeline } from '../timeline.ts'
import { wasJoined } from '../was-joined.ts'
import { unlessEmpty } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/**
 * `rooms.leave`: the rooms that the user left in the slice, up to the leave; at the first sync only if the filter asks.
 *
 * A room that another device has forgotten meanwhile is one of them: without the entry it would stay joined.
 */
export const leftRoomsSection: SyncSection = {
  path: ['rooms', 'leave'],
  unchanged: {},
  changes: async ({ db, slice }) => unlessEmpty(await readLeft(db, slice)),
}

async function readLeft(db: Read, slice: Slice): Promise<Record<string, unknown>> {
  const rooms: Record<string, unknown> = {}
  for (const membership of slice.memberships) {
    const isLeft = membership.membership === 'leave' || membership.membership === 'ban'
    if (!isLeft || !hasChanged(slice, membership)) continue
    if (slice.since === undefined && (membership.isForgotten || !slice.request.filter.includeLeave)) continue
    const entry = await leftRoom(db, slice, membership)
    if (entry) rooms[membership.roomId] = entry
  }
  return rooms
}

type Events = { readonly timeline: Timeline; readonly state: readonly StoredEvent[] }

async function leftRoom(db: Read, slice: Slice, membership: Membership): Promise<object | undefined> {
  const { roomId, eventNid } = membership
  const left = (await eventsByNid(db, [eventNid])).get(eventNid)
  const departure = await readDeparture(db, slice, roomId)
  if (departure.isUnknown) return undefined
  // State resolution may end a join without an event that replaces it.
  const wasReset = left !== undefined && stringMember(left.pdu.content, 'membership') === 'join'
  const end = departure.end?.position ?? (wasReset ? membership.position : undefined)
  const events = end === undefined ? nothing(membership) : await eventsUntil(db, slice, roomId, end)
  const isNews = left && !wasReset && left.nid !== departure.end?.nid && left.nid !== departure.later.at(-1)?.nid
  const own = [...departure.later, ...(isNews ? [left] : [])]
  const ended = withOwnEvents(slice, events, end === undefined ? own.slice(-1) : own)
  return { ...(await renderRoomEvents(db, slice, ended)), account_data: { events: [] } }
}

const nothing = ({ position }: Membership): Events => ({
  timeline: { events: [], isLimited: false, startsAfter: justBefore(position) },
  state: [],
})

/** Reads timeline and state up to where the user's membership ended; of a room new to the client, all of it. */
async function eventsUntil(db: Read, slice: Slice, roomId: RoomId, position: number): Promise<Events> {
  const end = Math.min(position, slice.upTo.position)
  const since = slice.since?.position
  const after = since !== undefined && (await wasJoined(db, roomId, slice.user, since)) ? since : undefined
  const gap = await newestGap(db, roomId, after ?? 0, end)
  const bounds = { roomId, after: after ?? 0, upTo: end, checksVisibility: true, gap }
  const read = await readTimeline(db, slice, bounds)
  const timeline = await cutOverruled(db, slice, { roomId, after, end, timeline: read })
  const state = await readState(db, slice, { roomId, after, end, timeline, wantedMembers: [slice.user] })
  return { timeline, state }
}

/**
 * Adds the user's own member events that came after they were in the room, or without their being there: how an invite or
 * a knock ended, a ban, a ban that was lifted. The last one is in the state if the timeline does not show it.
 */
function withOwnEvents({ request, user }: Slice, { timeline, state }: Events, own: readonly StoredEvent[]): Events {
  const last = own.at(-1)
  if (!last) return { timeline, state }
  const { filter, stateAfter } = request
  const shown = filter.timeline.limit === 0 ? [] : own.filter(({ pdu }) => passes(pdu, filter.timeline))
  const isInState = (stateAfter !== undefined || !shown.includes(last)) && passes(last.pdu, filter.state)
  const others = state.filter(({ pdu }) => pdu.type !== 'm.room.member' || pdu.stateKey !== user)
  return {
    timeline: { ...timeline, events: [...timeline.events, ...shown] },
    state: isInState ? [...others, last] : state,
  }
}
