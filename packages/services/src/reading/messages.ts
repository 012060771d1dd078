// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventById, timeline } from '@myelin/storage/rooms/events/events'
import { BEGINNING, justAfter, justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { roomById, stateEventNid } from '@myelin/storage/rooms/rooms'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { ignoredUsers } from '../standing/ignored-users.ts'
import { backfillGap, timelineGaps } from '../rooms/intake/backfill.ts'
import type { Checker } from '../rooms/intake/check-incoming.ts'
import type { Requester } from '../runtime/runtime.ts'
import type { EventFilter } from '../room-state/event-filter.ts'
import { passes } from '../room-state/event-filter.ts'
import { loadAuthState } from '../room-state/load-auth-state.ts'
import { roomVersionOf } from '../room-state/versions.ts'
import { parseToken, printPosition } from '../room-state/page-token.ts'
import { relatedAsAsked } from './related.ts'
import { renderEvents } from './render.ts'
import { roomAccess } from './room-access.ts'
import type { RoomAccess } from './room-access.ts'
import { visibleTo } from './visible.ts'

type Needs = Checker

/** A page of a room's history. */
export interface PageRequest {
  readonly roomId: RoomId
  readonly direction: 'forward' | 'backward'
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly limit: number
  readonly filter: EventFilter
}

/** A page with its tokens; without `end` if there are no more events. */
export interface Page {
  readonly chunk: readonly RawJson[]
  readonly start: string
  readonly end?: string
  readonly state?: readonly RawJson[]
}

const MAX_LIMIT = 1000
// Rounds in which a page waits for other servers.
const MAX_ROUNDS = 3
// A page reads at most this many events; if many are hidden it is short, with an `end`.
const MAX_READ = 5000

/**
 * Returns a page of a room's history as the requester may see it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages
 */
export async function readMessages(rt: Needs, requester: Requester, request: PageRequest): Promise<Page> {
  const db = rt.db.read
  const access = await roomAccess(db, requester.userId, request.roomId)
  const bounds = boundsOf(request, access, await rt.db.position())
  const whole = { ...request, limit: Math.min(request.limit, MAX_LIMIT) }
  const { events, end } = await walkAcrossHoles(rt, requester, whole, { bounds, access })
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: true }, bundles: true }
  const members = request.filter.lazyLoadMembers ? await membersFor(db, access, events) : []
  return {
    chunk: await renderEvents(db, events, view),
    start: printPosition(bounds.start),
    ...(end === undefined ? {} : { end: printPosition(end) }),
    ...(members.length > 0 ? { state: await renderEvents(db, members, { ...view, bundles: false }) } : {}),
  }
}

/** A page token is after the event of its position. */
type Bounds = { readonly after: number; readonly before: number; readonly start: number }

function boundsOf(request: PageRequest, access: RoomAccess, now: number): Bounds {
  const end = Math.min(now, access.upTo)
  const isBackward = request.direction === 'backward'
  const from = request.from === undefined ? (isBackward ? end : BEGINNING) : parseToken(request.from).position
  const to = request.to === undefined ? undefined : parseToken(request.to).position
  return isBackward
    ? { after: to ?? BEGINNING, before: justAfter(Math.min(from, end)), start: from }
    : { after: from, before: justAfter(Math.min(to ?? end, end)), start: from }
}

/** Reads a page; fetches missing history on the way, in a few rounds at most. */
async function walkAcrossHoles(
  rt: Needs,
  requester: Requester,
  request: PageRequest,
  { bounds, access }: { readonly bounds: Bounds; readonly access: RoomAccess },
): Promise<{ events: StoredEvent[]; end: number | undefined }> {
  for (let round = 0; ; round++) {
    const page = await walk(rt.db.read, requester, request, bounds)
    if (request.direction === 'forward' || access.lastGap === 0 || !access.isJoined) return page
    const [gap] = await timelineGaps(rt, request.roomId, page.end ?? bounds.after, bounds.before)
    if (!gap) return page
    const isFilled = round < MAX_ROUNDS && (await backfillGap(rt, request.roomId, gap)) > 0
    if (isFilled) continue
    // With an `end`, the client tries again and may reach another server; without any event it has no reason to.
    const last = page.events.at(-1)?.position ?? undefined
    return { events: page.events, end: page.end ?? (last === undefined ? undefined : justBefore(last)) }
  }
}

async function walk(
  db: Read,
  requester: Requester,
  request: PageRequest,
  bounds: Bounds,
): Promise<{ events: StoredEvent[]; end: number | undefined }> {
  const ignored = await ignoredUsers(db, requester.userId)
  const events: StoredEvent[] = []
  const isBackward = request.direction === 'backward'
  let { after, before } = bounds
  for (let read = 0; read < MAX_READ; ) {
    const limit = Math.max(50, request.limit)
    const page = await timeline(db, { roomId: request.roomId, direction: request.direction, after, before, limit })
    const seen = new Set(await visibleTo(db, requester.userId, request.roomId, page))
    const related = await relatedAsAsked(db, request.roomId, page, request.filter)
    const isAsked = ({ pdu }: StoredEvent) => passes(pdu, request.filter) && (related?.has(pdu.id) ?? true)
    for (const event of page) {
      const position = event.position ?? 0
      if (events.length === request.limit) return { events, end: isBackward ? position : justBefore(position) }
      const isIgnored = event.pdu.stateKey === undefined && ignored.has(event.pdu.sender)
      if (seen.has(event) && !isIgnored && isAsked(event)) events.push(event)
      if (isBackward) before = position
      else after = position
    }
    read += page.length
    if (page.length < limit) return { events, end: undefined }
  }
  return { events, end: isBackward ? justBefore(before) : after }
}

/** Returns the member events of the senders of events, from the state that the requester may read. */
export async function membersFor(
  db: Read,
  access: Pick<RoomAccess, 'stateRoot'>,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  const nids: number[] = []
  for (const sender of new Set(events.map(({ pdu }) => pdu.sender))) {
    const nid = await stateEventNid(db, access.stateRoot, 'm.room.member', sender)
    if (nid !== undefined) nids.push(nid)
  }
  return [...(await eventsByNid(db, nids)).values()]
}

/**
 * Returns an event as the requester sees it; throws `M_NOT_FOUND` if it is unknown or hidden. With `isUnredacted` a redacted event
 * has its content, for admins of the server and users who may redact (MSC2815); others get `M_FORBIDDEN`.
 */
export async function readEvent(
  rt: Needs,
  requester: Requester,
  roomId: RoomId,
  eventId: EventId,
  isUnredacted = false,
): Promise<RawJson> {
  if (isUnredacted) await requireRedactor(rt.db.read, requester, roomId)
  const event = await knownEvent(rt.db.read, requester, roomId, eventId)
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: true, isUnredacted }, bundles: true }
  const [rendered] = await renderEvents(rt.db.read, [event], view)
  if (!rendered) throw notThere()
  return rendered
}

/** Throws `M_FORBIDDEN` for a user who is neither an admin nor may redact the events of others in a room. */
async function requireRedactor(db: Read, { userId, isAdmin }: Requester, roomId: RoomId): Promise<void> {
  const room = await roomById(db, roomId)
  if (!room || isAdmin) return
  const draft = { sender: userId, type: 'm.room.redaction', content: {} }
  const { state } = await loadAuthState(db, room.stateRoot, draft, roomVersionOf(room.roomVersion))
  if (state.powerOf(userId) >= state.levelFor('redact')) return
  throw new MatrixError('M_FORBIDDEN', "you don't have permission to read redacted events in this room")
}

/** Returns an event of any room as the requester sees it; throws `M_NOT_FOUND` if it is unknown or hidden. */
export async function readEventById(rt: Needs, requester: Requester, eventId: EventId): Promise<RawJson> {
  const event = await eventById(rt.db.read, eventId)
  if (!event) throw notThere()
  return readEvent(rt, requester, event.pdu.roomId, eventId)
}

/** Returns an event that the requester may see; throws `M_NOT_FOUND` otherwise, also if the room is not readable. */
export async function knownEvent(
  db: Read,
  requester: Requester,
  roomId: RoomId,
  eventId: EventId,
): Promise<StoredEvent> {
  return visibleEvent(db, requester, roomId, eventId).catch((cause: unknown) => {
    throw cause instanceof MatrixError && cause.code === 'M_FORBIDDEN' ? notThere() : cause
  })
}

const notThere = () => new MatrixError('M_NOT_FOUND', 'Event not found.')

/** Returns an event that the requester may see; throws `M_NOT_FOUND` otherwise, `M_FORBIDDEN` if the room is not readable. */
export async function visibleEvent(
  db: Read,
  requester: Requester,
  roomId: RoomId,
  eventId: EventId,
): Promise<StoredEvent> {
  const access = await roomAccess(db, requester.userId, roomId)
  const event = await eventById(db, eventId)
  const isResident = event && event.pdu.roomId === roomId && event.position !== null && event.position <= access.upTo
  const [seen] = isResident ? await visibleTo(db, requester.userId, roomId, [event]) : []
  if (!seen) throw notThere()
  return seen
}
