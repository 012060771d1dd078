// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid, timeline } from '@myelin/storage/rooms/events/events'
import { BEGINNING, justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { namedState } from '@myelin/storage/rooms/rooms'
import { ignoredUsers } from '../standing/ignored-users.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { passes } from '../room-state/event-filter.ts'
import type { EventFilter } from '../room-state/event-filter.ts'
import { membersFor, visibleEvent } from './messages.ts'
import { printPosition } from '../room-state/page-token.ts'
import { relatedAsAsked } from './related.ts'
import { renderEvents } from './render.ts'
import { visibleTo } from './visible.ts'

/** An event with the events around it. */
export interface EventContext {
  readonly start: string
  readonly end: string
  readonly event: RawJson | undefined
  readonly events_before: readonly RawJson[]
  readonly events_after: readonly RawJson[]
  readonly state: readonly RawJson[]
}

/**
 * Returns an event with up to `limit` events around it, half before and half after, and the state at the last of them.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid
 */
export async function readContext(
  rt: Pick<Runtime, 'db' | 'clock'>,
  requester: Requester,
  request: { readonly roomId: RoomId; readonly eventId: EventId; readonly limit: number; readonly filter: EventFilter },
): Promise<EventContext> {
  const db = rt.db.read
  const event = await visibleEvent(db, requester, request.roomId, request.eventId)
  const position = event.position ?? 0
  const side = Math.floor(Math.min(request.limit, 1000) / 2)
  const before = await eventsBeside(db, requester, request, { direction: 'backward', from: position, limit: side })
  const after = await eventsBeside(db, requester, request, {
    direction: 'forward',
    from: position,
    limit: Math.min(request.limit, 1000) - side,
  })
  const last = after.at(-1) ?? event
  const all = [...before, event, ...after]
  const state = request.filter.lazyLoadMembers
    ? await membersFor(db, { stateRoot: last.stateAfter }, all)
    : await stateEvents(db, last.stateAfter)
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: true } }
  const rendered = async (events: readonly StoredEvent[]) => renderEvents(db, events, { ...view, bundles: true })
  return {
    start: printPosition(justBefore(before.at(-1)?.position ?? position)),
    end: printPosition(last.position ?? position),
    event: (await rendered([event]))[0],
    events_before: await rendered(before),
    events_after: await rendered(after),
    state: await renderEvents(db, state, view),
  }
}

/** Returns the events on one side of a position that a requester may see and a filter passes, the nearest first. */
export async function eventsBeside(
  db: Read,
  requester: Requester,
  { roomId, filter }: { readonly roomId: RoomId; readonly filter: EventFilter },
  { direction, from, limit }: { direction: 'forward' | 'backward'; from: number; limit: number },
): Promise<StoredEvent[]> {
  if (limit === 0) return []
  const ignored = await ignoredUsers(db, requester.userId)
  const bounds =
    direction === 'forward' ? { after: from, before: Number.MAX_SAFE_INTEGER } : { after: BEGINNING, before: from }
  const page = await timeline(db, { roomId, direction, ...bounds, limit: limit * 2 + 20 })
  const seen = await visibleTo(db, requester.userId, roomId, page)
  const related = await relatedAsAsked(db, roomId, seen, filter)
  return seen
    .filter(
      ({ pdu }) =>
        passes(pdu, filter) &&
        (related?.has(pdu.id) ?? true) &&
        !(pdu.stateKey === undefined && ignored.has(pdu.sender)),
    )
    .slice(0, limit)
}

/** Returns all events of a state. */
export async function stateEvents(db: Read, root: number): Promise<StoredEvent[]> {
  const entries = await namedState(db, root)
  return [
    ...(
      await eventsByNid(
        db,
        entries.map(({ event }) => event),
      )
    ).values(),
  ]
}
