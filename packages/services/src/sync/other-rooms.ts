// SPDX-License-Identifier: Apache-2.0
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { blocksInvites } from '../rooms/members-change.ts'
import { strippedStateOf } from '../room-state/stripped-state.ts'
import { passes, passesRoom } from '../room-state/event-filter.ts'
import { roomEvents } from './joined-rooms.ts'
import { readState } from './room-state.ts'
import type { Slice } from './sync-request.ts'
import { readTimeline } from './timeline.ts'
import type { Timeline } from './timeline.ts'

/** Rooms a user is invited to or knocks at, with what they are shown of them. */
export async function offeredRooms(db: Read, slice: Slice, kind: 'invite' | 'knock'): Promise<Record<string, unknown>> {
  const rooms: Record<string, unknown> = {}
  const offered = slice.memberships.filter((each) => each.membership === kind && isNews(slice, each))
  if (offered.length === 0 || (kind === 'invite' && (await blocksInvites(db, slice.user)))) return rooms
  for (const membership of offered) {
    if (kind === 'invite' && (await isIgnored(db, slice, membership))) continue
    rooms[membership.roomId] = { [`${kind}_state`]: { events: await shownState(db, slice, membership) } }
  }
  return rooms
}

/**
 * The stripped state kept with a membership, or that of the room where none came with it: the invite or the knock is what
 * a room's state came to. The event that made it says when it was sent, too: clients show that.
 */
async function shownState(
  db: Read,
  { user }: Slice,
  { roomId, eventNid, strippedState }: Membership,
): Promise<readonly Json[]> {
  const pdu = (await eventsByNid(db, [eventNid])).get(eventNid)?.pdu
  const kept = strippedState === null ? undefined : (JSON.parse(strippedState) as readonly Json[])
  if (!pdu) return kept ?? []
  const root = kept ? undefined : (await cachedRoom(db, roomId))?.stateRoot
  const events = kept ?? (root === undefined ? [] : await strippedStateOf(db, root, pdu))
  const dated = { event_id: pdu.id, origin_server_ts: pdu.originServerTs }
  const isOwn = (event: Json) =>
    isObject(event) && member(event, 'type') === 'm.room.member' && member(event, 'state_key') === user
  return events.map((event) => (isObject(event) && isOwn(event) ? { ...event, ...dated } : event))
}

/**
 * Rooms the user left in the slice, once each, up to where they left; at the first sync only if the filter asks.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export async function leftRooms(db: Read, slice: Slice): Promise<Record<string, unknown>> {
  const rooms: Record<string, unknown> = {}
  for (const membership of slice.memberships) {
    const isLeft = membership.membership === 'leave' || membership.membership === 'ban'
    if (!isLeft || membership.isForgotten || !isNews(slice, membership)) continue
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
  return { ...(await roomEvents(db, slice, { timeline, state })), account_data: { events: [] } }
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

function isNews(slice: Slice, { position, roomId }: Membership): boolean {
  if (!passesRoom(roomId, slice.request.filter.rooms)) return false
  return slice.since === undefined || (position > slice.since.position && position <= slice.upTo.position)
}

async function isIgnored(db: Read, { ignored }: Slice, { eventNid }: Membership): Promise<boolean> {
  if (ignored.size === 0) return false
  const sender: UserId | undefined = (await eventsByNid(db, [eventNid])).get(eventNid)?.pdu.sender
  return sender !== undefined && ignored.has(sender)
}
