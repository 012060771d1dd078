// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { namedState } from '@myelin/storage/rooms/rooms'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { membersFor } from '../reading/messages.ts'
import { renderEvents } from '../reading/render.ts'
import type { View } from '../reading/view.ts'
import type { EventFilter } from '../room-state/event-filter.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import type { Hit } from './hits.ts'
import { contextOf } from './result-context.ts'
import type { ResultContext } from './result-context.ts'
import type { SearchRequest } from './search-request.ts'
import type { SearchedRooms } from './searched-rooms.ts'

/** A result, in the wire format. */
export interface RenderedHit {
  readonly rank: number
  readonly result: RawJson
  readonly context?: ResultContext
}

type Needs = Pick<Runtime, 'db' | 'clock'>

/** The results of a page. */
interface Results {
  readonly hits: readonly Hit[]
  readonly rooms: SearchedRooms
}

/** The number of results whose surroundings are read at a time. */
const AT_ONCE = 16
/** The most state events in an answer; beyond it, of the members only those who sent a result are included. */
const MAX_STATE_EVENTS = 10_000

/** Returns results as clients get them, with the events around them if wanted. */
export async function renderHits(
  rt: Needs,
  requester: Requester,
  { hits, rooms, context }: Results & Pick<SearchRequest, 'context'>,
): Promise<RenderedHit[]> {
  const db = rt.db.read
  const view = viewOf(rt, requester)
  const rendered = new Map<StoredEvent, RawJson>()
  const render = async (events: readonly StoredEvent[]) => {
    const encoded = await renderEvents(db, events, view)
    for (const [index, event] of events.entries()) rendered.set(event, encoded[index] as RawJson)
  }
  await Promise.all(eventsByRoom(hits).values().map(render))
  const results: RenderedHit[] = []
  for (let start = 0; start < hits.length; start += AT_ONCE) {
    const chunk = hits.slice(start, start + AT_ONCE).map(async ({ event, rank }) => {
      const result = rendered.get(event) as RawJson
      if (!context) return { rank, result }
      const upTo = (await rooms.room(event.pdu.roomId))?.upTo ?? 0
      return { rank, result, context: await contextOf(db, event, { view, wish: context, upTo }) }
    })
    results.push(...(await Promise.all(chunk)))
  }
  return results
}

/** Returns the state of each room with a result, as the requester may read it: of members as the filter says. */
export async function statesOf(
  rt: Needs,
  requester: Requester,
  { hits, rooms, filter }: Results & { readonly filter: EventFilter },
): Promise<Readonly<Record<string, readonly RawJson[]>>> {
  const db = rt.db.read
  const view: View = { ...viewOf(rt, requester), bundles: false }
  const states: [RoomId, readonly RawJson[]][] = []
  let left = MAX_STATE_EVENTS
  for (const [roomId, events] of eventsByRoom(hits)) {
    const stateRoot = (await rooms.room(roomId))?.stateRoot ?? 0
    const state = await stateFor(db, stateRoot, { events, isLazy: filter.lazyLoadMembers, max: left })
    left -= state.length
    states.push([roomId, await renderEvents(db, state, view)])
  }
  return Object.fromEntries(states)
}

async function stateFor(
  db: Read,
  stateRoot: number,
  { events, isLazy, max }: { readonly events: readonly StoredEvent[]; readonly isLazy: boolean; readonly max: number },
): Promise<StoredEvent[]> {
  const all = await namedState(db, stateRoot)
  if (!isLazy && all.length <= max) return eventsOf(db, all)
  const others = all.filter(({ type }) => type !== 'm.room.member').slice(0, Math.max(0, max))
  return [...(await eventsOf(db, others)), ...(await membersFor(db, { stateRoot }, events))]
}

async function eventsOf(db: Read, entries: readonly { readonly event: number }[]): Promise<StoredEvent[]> {
  const nids = entries.map(({ event }) => event)
  return [...(await eventsByNid(db, nids)).values()]
}

function eventsByRoom(hits: readonly Hit[]): ReadonlyMap<RoomId, readonly StoredEvent[]> {
  const events = hits.map(({ event }) => event)
  return Map.groupBy(events, ({ pdu }) => pdu.roomId)
}

function viewOf({ clock }: Needs, requester: Requester): View {
  return { requester, now: clock.now(), format: { hasRoomId: true }, bundles: true }
}
