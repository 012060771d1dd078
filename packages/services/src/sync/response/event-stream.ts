// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid, timeline } from '@myelin/storage/rooms/events/events'
import { justAfter } from '@myelin/storage/rooms/events/history-positions'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { changedRooms } from '@myelin/storage/sync/changed-rooms'
import { presenceBetween } from '@myelin/storage/sync/presence'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import { renderEvents } from '../../reading/render.ts'
import { roomAccess } from '../../reading/room-access.ts'
import { visibleTo } from '../../reading/visible.ts'
import { MERGE_EVENT_TYPE } from '../../room-state/merge-event-type.ts'
import { printToken } from '../../room-state/page-token.ts'
import type { StreamToken } from '../../room-state/page-token.ts'
import { presenceContent } from '../../runtime/presence/show-presence.ts'
import type { Requester } from '../../runtime/runtime.ts'
import { ignoredUsers } from '../../standing/ignored-users.ts'
import { longPoll } from '../long-poll.ts'
import type { PollAnswer, PollNeeds } from '../long-poll.ts'
import { receiptContent } from '../room-sections/ephemeral.ts'
import { hiddenInvites } from '../sections/offered-rooms.ts'

/** A request for the events after a token, of all rooms of the requester or of one that may only be looked into. */
export interface EventStreamRequest {
  readonly requester: Requester
  /** Undefined: only events that are still to come. */
  readonly from: StreamToken | undefined
  readonly roomId: RoomId | undefined
  readonly timeoutMs: number
}

/** A part of the event stream. */
export interface EventChunk {
  readonly start: string
  readonly end: string
  readonly chunk: readonly (RawJson | JsonObject)[]
}

/** The most events of a room in one answer, and of all rooms. */
const MAX_EVENTS = 100

/** The slice of the log that an answer covers. */
interface Span {
  readonly requester: Requester
  readonly after: number
  readonly upTo: number
  readonly ignored: ReadonlySet<string>
}

/** Events in the order of the log, and the position up to which they are complete. */
interface Found {
  readonly events: readonly StoredEvent[]
  readonly upTo: number
}

/**
 * Returns the events after a token, in the order of the log, with typing, receipts and presence; waits for the first one. A room
 * that the requester is not in must be world-readable.
 *
 * @throws MatrixError `M_FORBIDDEN` where the room is not readable
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events
 */
export async function readEventStream(
  rt: PollNeeds,
  request: EventStreamRequest,
  signal: AbortSignal,
): Promise<EventChunk> {
  const { requester, timeoutMs, roomId } = request
  const now = { position: await rt.db.position(), typing: rt.typing.serial, toDevice: 0, begun: 0 }
  const from = request.from ?? now
  const answer = await longPoll(
    rt,
    {
      requester,
      presence: requester.isGuest ? 'offline' : 'online',
      waits: true,
      timeoutMs,
      ...(roomId === undefined ? {} : { topics: [roomId] }),
      begin: async () => {
        if (roomId !== undefined) await roomAccess(rt.db.read, requester.userId, roomId)
      },
      look: () => look(rt, request, from),
    },
    signal,
  )
  return answer as Readonly<Record<string, unknown>> & EventChunk
}

async function look(rt: PollNeeds, { requester, roomId }: EventStreamRequest, from: StreamToken): Promise<PollAnswer> {
  const [position, typing] = [await rt.db.position(), rt.typing.serial]
  const db = rt.db.read
  const { userId } = requester
  const span = { requester, after: from.position, upTo: position, ignored: await ignoredUsers(db, userId) }
  const { events, upTo } = roomId === undefined ? await ofAllRooms(db, span) : await ofRoom(db, span, roomId)
  const rooms = roomId === undefined ? await joinedRooms(db, span) : [roomId]
  const rest = [
    ...rooms.flatMap((room) => typingIn(rt, room, from)),
    ...(await receiptsIn(db, { ...span, upTo }, rooms)),
    ...(roomId === undefined ? await presence(rt, { ...span, upTo }) : []),
  ]
  const ends = { start: printToken(from), end: printToken({ position: upTo, typing, toDevice: 0, begun: 0 }) }
  return {
    isEmpty: events.length === 0 && rest.length === 0,
    idle: { ...ends, chunk: [] },
    finish: async () => ({ ...ends, chunk: [...(await rendered(db, span, events, rt.clock.now())), ...rest] }),
  }
}

/** Returns the events of all rooms that the requester is in, was in, or was invited to in the slice. */
async function ofAllRooms(db: Read, span: Span): Promise<Found> {
  const { userId } = span.requester
  const moved = await changedRooms(db, userId, span.after)
  const isHidden = await hiddenInvites(db, { user: userId, ignored: span.ignored })
  const parts: Found[] = []
  for (const membership of await cachedMemberships(db, userId)) {
    const { membership: standing, roomId, position } = membership
    const isNew = position > span.after && position <= span.upTo
    if (standing === 'join' && (moved.has(roomId) || isNew)) parts.push(await ofRoom(db, span, roomId))
    else if ((standing === 'leave' || standing === 'ban') && isNew)
      parts.push(await ofRoom(db, { ...span, upTo: position }, roomId))
    else if (isNew && standing === 'invite' && !(await isHidden(membership)))
      parts.push(await offer(db, span, membership))
  }
  const events = parts
    .flatMap((part) => part.events)
    .toSorted((a, b) => positionOf(a) - positionOf(b))
    .slice(0, MAX_EVENTS + 1)
  const cut = Math.min(...parts.filter(isCut).map(({ upTo }) => upTo), span.upTo)
  const limit = events.length > MAX_EVENTS ? Math.min(cut, positionOf(events[MAX_EVENTS - 1])) : cut
  return { events: events.filter((event) => positionOf(event) <= limit), upTo: limit }
}

const isCut = ({ events }: Found) => events.length >= MAX_EVENTS
const positionOf = (event: StoredEvent | undefined) => event?.position ?? 0

async function ofRoom(db: Read, span: Span, roomId: RoomId): Promise<Found> {
  const { after, requester, ignored } = span
  const walk = { roomId, direction: 'forward', after, before: justAfter(span.upTo), limit: MAX_EVENTS } as const
  const page = await timeline(db, walk)
  const events = (await visibleTo(db, requester.userId, roomId, page)).filter(
    ({ pdu }) => pdu.type !== MERGE_EVENT_TYPE && !(pdu.stateKey === undefined && ignored.has(pdu.sender)),
  )
  return { events, upTo: page.length < MAX_EVENTS ? span.upTo : positionOf(page.at(-1)) }
}

/** Returns the event of an invite, which may be of a room that this server is not in. */
async function offer(db: Read, span: Span, membership: Membership): Promise<Found> {
  const event = (await eventsByNid(db, [membership.eventNid])).get(membership.eventNid)
  if (!event) return { events: [], upTo: span.upTo }
  return { events: [{ ...event, position: membership.position }], upTo: span.upTo }
}

async function joinedRooms(db: Read, { requester }: Span): Promise<RoomId[]> {
  const memberships = await cachedMemberships(db, requester.userId)
  return memberships.filter(({ membership }) => membership === 'join').map(({ roomId }) => roomId)
}

/** Renders events of several rooms, and keeps their order. */
async function rendered(
  db: Read,
  { requester }: Span,
  events: readonly StoredEvent[],
  now: number,
): Promise<RawJson[]> {
  const shown = new Map<StoredEvent, RawJson>()
  for (const [, some] of Map.groupBy(events, ({ pdu }) => pdu.roomId)) {
    const texts = await renderEvents(db, some, { requester, now, format: { hasRoomId: true } })
    some.forEach((event, index) => {
      const text = texts[index]
      if (text) shown.set(event, text)
    })
  }
  return events.flatMap((event) => shown.get(event) ?? [])
}

function typingIn({ typing }: PollNeeds, roomId: RoomId, from: StreamToken): JsonObject[] {
  const typers = typing.changedSince(roomId, from.typing)
  return typers === undefined ? [] : [{ type: 'm.typing', room_id: roomId, content: { user_ids: typers } }]
}

async function receiptsIn(db: Read, { requester, after, upTo }: Span, rooms: readonly RoomId[]): Promise<JsonObject[]> {
  const moved = await changedRooms(db, requester.userId, after)
  const events: JsonObject[] = []
  for (const roomId of rooms.filter((each) => moved.has(each))) {
    const receipts = await receiptsBetween(db, roomId, after, upTo)
    const shown = receipts.filter(({ kind, userId }) => kind === 'm.read' || userId === requester.userId)
    if (shown.length > 0) events.push({ type: 'm.receipt', room_id: roomId, content: receiptContent(shown) })
  }
  return events
}

async function presence(rt: PollNeeds, { requester, after, upTo }: Span): Promise<JsonObject[]> {
  if (!rt.config.presence.isEnabled) return []
  const changed = await presenceBetween(rt.db.read, requester.userId, after, upTo)
  const now = rt.clock.now()
  return changed.map((each) => ({ type: 'm.presence', sender: each.userId, content: presenceContent(each, now) }))
}
