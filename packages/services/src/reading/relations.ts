// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { BEGINNING, justAfter, justBefore } from '@myelin/storage/rooms/events/history-positions'
import { relatingEvents, relatingIds } from '@myelin/storage/rooms/events/relations'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { ignoredUsers } from '../standing/ignored-users.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { knownEvent } from './messages.ts'
import { parseToken, printPosition } from '../room-state/page-token.ts'
import { renderEvents } from './render.ts'
import { roomAccess } from './room-access.ts'
import { visibleTo } from './visible.ts'

/** A page of an event's children, and which of them. */
export interface RelationsRequest {
  readonly roomId: RoomId
  readonly eventId: EventId
  readonly relType?: string | undefined
  readonly eventType?: string | undefined
  readonly direction: 'forward' | 'backward'
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly limit: number
  /** Children of children are included. */
  readonly recurses: boolean
}

/** A page of children. */
export interface RelationsPage {
  readonly chunk: readonly RawJson[]
  readonly prev_batch?: string
  readonly next_batch?: string
  readonly recursion_depth?: number
}

const MAX_LIMIT = 1000
// A page reads at most this many children; if many are hidden it is short, with a token to continue.
const MAX_READ = 5000
/** The depth of children of children, and the limit of parents. */
const MAX_DEPTH = 3
const MAX_PARENTS = 1000

/**
 * Returns the events that relate to an event, as the requester may see them.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidrelationseventid
 */
export async function readRelations(
  rt: Pick<Runtime, 'db' | 'clock'>,
  requester: Requester,
  request: RelationsRequest,
): Promise<RelationsPage> {
  const db = rt.db.read
  await knownEvent(db, requester, request.roomId, request.eventId)
  const parents = request.recurses ? await ancestry(db, request) : [request.eventId]
  const { events, end } = await walk(db, requester, request, parents)
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: true }, bundles: true }
  return {
    chunk: await renderEvents(db, events, view),
    ...(request.from === undefined ? {} : { prev_batch: request.from }),
    ...(end === undefined ? {} : { next_batch: printPosition(end) }),
    ...(request.recurses ? { recursion_depth: MAX_DEPTH } : {}),
  }
}

/** Returns the parents whose children are wanted; an event that the filters hide hides its children as well. */
async function ancestry(db: Read, { roomId, eventId, relType, eventType }: RelationsRequest): Promise<EventId[]> {
  const known = new Set([eventId])
  let parents: readonly EventId[] = [eventId]
  for (let depth = 1; depth < MAX_DEPTH && parents.length > 0 && known.size < MAX_PARENTS; depth++) {
    const found = await relatingIds(db, { roomId, parents, relType, eventType, limit: MAX_PARENTS - known.size })
    parents = found.filter((id) => !known.has(id))
    for (const id of parents) known.add(id)
  }
  return [...known]
}

async function walk(
  db: Read,
  requester: Requester,
  request: RelationsRequest,
  parents: readonly EventId[],
): Promise<{ readonly events: StoredEvent[]; readonly end: number | undefined }> {
  const { roomId, relType, eventType, direction } = request
  const access = await roomAccess(db, requester.userId, roomId)
  const ignored = await ignoredUsers(db, requester.userId)
  const isBackward = direction === 'backward'
  const placeOf = (text: string | undefined, otherwise: number) =>
    text === undefined ? otherwise : parseToken(text).position
  const [start, stop] = isBackward ? [request.from, request.to] : [request.to, request.from]
  let before = justAfter(Math.min(placeOf(start, access.upTo), access.upTo))
  let after = placeOf(stop, BEGINNING)
  const limit = Math.min(request.limit, MAX_LIMIT)
  const events: StoredEvent[] = []
  for (let read = 0; read < MAX_READ; ) {
    const size = Math.max(50, limit + 1)
    const page = await relatingEvents(db, {
      roomId,
      parents,
      relType,
      eventType,
      direction,
      after,
      before,
      limit: size,
    })
    const seen = new Set(await visibleTo(db, requester.userId, roomId, page))
    for (const event of page) {
      const position = event.position ?? 0
      if (events.length === limit) return { events, end: isBackward ? position : justBefore(position) }
      if (seen.has(event) && !ignored.has(event.pdu.sender)) events.push(event)
      if (isBackward) before = position
      else after = position
    }
    read += page.length
    if (page.length < size) return { events, end: undefined }
  }
  return { events, end: isBackward ? justBefore(before) : after }
}
