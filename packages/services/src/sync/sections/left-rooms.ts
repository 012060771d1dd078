// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { passes } from '../../room-state/event-filter.ts'
import { renderRoomEvents } from '../render-room-events.ts'
import { readState } from '../room-state.ts'
import { hasChanged } from '../sync-request.ts'
import type { Slice } from '../sync-request.ts'
import { readTimeline } from '../timeline.ts'
import type { Timeline } from '../timeline.ts'
import { unlessEmpty } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/** `rooms.leave`: the rooms that the user left in the slice, up to the leave; at the first sync only if the filter asks. */
export const leftRoomsSection: SyncSection = {
  path: ['rooms', 'leave'],
  unchanged: {},
  changes: async ({ db, slice }) => unlessEmpty(await readLeft(db, slice)),
}

async function readLeft(db: Read, slice: Slice): Promise<Record<string, unknown>> {
  const rooms: Record<string, unknown> = {}
  for (const membership of slice.memberships) {
    const isLeft = membership.membership === 'leave' || membership.membership === 'ban'
    if (!isLeft || membership.isForgotten || !hasChanged(slice, membership)) continue
    if (slice.since === undefined && !slice.request.filter.includeLeave) continue
    rooms[membership.roomId] = await leftRoom(db, slice, membership)
  }
  return rooms
}

async function leftRoom(db: Read, slice: Slice, { roomId, eventNid }: Membership): Promise<Record<string, unknown>> {
  const left = (await eventsByNid(db, [eventNid])).get(eventNid)
  const upTo = Math.min(left?.position ?? 0, slice.upTo.position)
  const wasJoined = left !== undefined && (await wasMember(db, left.replaces))
  const after = slice.since?.position
  const timeline = wasJoined
    ? await readTimeline(db, slice, { roomId, after: after ?? 0, upTo, checksVisibility: true })
    : ownEnd(slice, left)
  const state = wasJoined
    ? await readState(db, slice, { roomId, after, timeline, end: upTo, wantedMembers: [slice.user] })
    : []
  return { ...(await renderRoomEvents(db, slice, { timeline, state })), account_data: { events: [] } }
}

/** Who was never let in still learns how that ended: an invite or a knock is withdrawn, turned down, or a ban lifted. */
function ownEnd({ request, upTo }: Slice, left: StoredEvent | undefined): Timeline {
  const { position } = left ?? {}
  if (!left || typeof position !== 'number' || !passes(left.pdu, request.filter.timeline))
    return { events: [], isLimited: false, startsAfter: upTo.position }
  return { events: [left], isLimited: false, startsAfter: justBefore(position) }
}

async function wasMember(db: Read, replaced: number | null): Promise<boolean> {
  const before = replaced === null ? undefined : (await eventsByNid(db, [replaced])).get(replaced)
  return before !== undefined && stringMember(before.pdu.content, 'membership') === 'join'
}
