// SPDX-License-Identifier: Apache-2.0
import { mapInTurns } from '@myelin/kit/turn'
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { stateRootAt } from '@myelin/storage/rooms/events/events'
import { justBefore } from '@myelin/storage/rooms/events/history-positions'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { namedState, stateEventNid } from '@myelin/storage/rooms/rooms'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import { keyNames } from '@myelin/storage/engine/names'
import { passes } from '../room-state/event-filter.ts'
import type { EventFilter } from '../room-state/event-filter.ts'
import type { Slice } from './sync-request.ts'
import type { Timeline } from './timeline.ts'
import { recordSentMembers, unsentMembers } from './sent-members.ts'

// The estimated cost of matching an event with a pattern.
const PASS_COST_US = 0.05

/** The positions between which state changes are shown; without `after` it is the whole state. */
export interface StateBounds {
  readonly roomId: RoomId
  readonly after: number | undefined
  readonly timeline: Timeline
  readonly end: number
  /** Users whose member events lazy loading adds, beside the senders in the timeline. */
  readonly wantedMembers: readonly string[]
  /** The room's newest events, if the slice ends where the room does. */
  readonly tail?: readonly StoredEvent[] | undefined
  /** The position where the room's state last changed without an event. */
  readonly lastResolution?: number
}

type Entry = { readonly type: string; readonly stateKey: string; readonly event: number }

/**
 * Returns the state changes up to the start of the timeline, or up to its end with `state_after`. They are the difference
 * of two states, so changes that the timeline does not show are among them.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export async function readState(db: Read, slice: Slice, bounds: StateBounds): Promise<StoredEvent[]> {
  const endRoot = await rootAt(db, bounds, bounds.end)
  const root = slice.request.stateAfter ? endRoot : await startRoot(db, bounds)
  const isWhole = bounds.after === undefined
  const entries = isWhole ? await wholeEntries(db, slice, bounds, root) : await changedEntries(db, bounds, root)
  const isLazy = slice.request.filter.state.lazyLoadMembers
  const members = isLazy && !isWhole ? await memberEvents(db, bounds, root) : []
  const beside = await besideTimeline(db, bounds, root, endRoot)
  const nids = new Set([...entries.map(({ event }) => event), ...unsentMembers(db, slice, members), ...beside])
  const all = [...(await cachedEvents(db, [...nids])).values()]
  const events = await passing(all, slice.request.filter.state)
  if (isLazy) {
    // A client also takes members from the timeline, unless it asked for `state_after`.
    const sent = slice.request.stateAfter ? events : [...events, ...bounds.timeline.events]
    const sentMembers = sent.filter(({ pdu }) => pdu.type === 'm.room.member')
    recordSentMembers(
      db,
      slice,
      sentMembers.map(({ nid }) => nid),
    )
  }
  return events
}

/** Returns the events that pass a filter, of which a room may have very many. */
async function passing(events: readonly StoredEvent[], filter: EventFilter): Promise<StoredEvent[]> {
  const costUs = PASS_COST_US * (1 + (filter.types?.length ?? 0) + (filter.notTypes?.length ?? 0))
  const passed: StoredEvent[] = []
  await mapInTurns(events, costUs, (event) => passes(event.pdu, filter) && passed.push(event))
  return passed
}

/**
 * Returns the timeline without its part up to the last state event that a client must not end with: one that was
 * replaced by an event that the timeline does not show, or that a resolution of the room's state did not take.
 *
 * A client applies `state` first and the timeline after it. With `state_after` the timeline does not touch the state.
 */
export async function cutOverruled(
  db: Read,
  slice: Slice,
  bounds: Omit<StateBounds, 'wantedMembers'>,
): Promise<Timeline> {
  const { timeline, end } = bounds
  const last = new Map<string, StoredEvent>()
  for (const event of timeline.events) {
    const { type, stateKey } = event.pdu
    if (stateKey !== undefined) last.set(JSON.stringify([type, stateKey]), event)
  }
  if (slice.request.stateAfter || last.size === 0) return timeline
  const [from, to] = [await startRoot(db, bounds), await rootAt(db, bounds, end)]
  const current = new Set((await stateDifference(db, from, to)).map(({ after }) => after))
  const overruled = new Set([...last.values()].filter(({ nid }) => !current.has(nid)))
  const cut = timeline.events.findLastIndex((event) => overruled.has(event))
  if (cut < 0) return timeline
  const events = timeline.events.slice(cut + 1)
  const startsAfter = events[0] ? justBefore(events[0].position ?? end) : end
  return cutOverruled(db, slice, { ...bounds, timeline: { events, isLimited: true, startsAfter } })
}

/** Returns the state at the start of the timeline; before the first event of a room, the state before that event. */
async function startRoot(db: Read, bounds: Omit<StateBounds, 'wantedMembers'>): Promise<number> {
  if (bounds.timeline.startRoot !== undefined) return bounds.timeline.startRoot
  const root = await rootAt(db, bounds, bounds.timeline.startsAfter)
  return root === 0 ? (bounds.timeline.events[0]?.stateBefore ?? 0) : root
}

/** Returns the changes during the timeline that no event of it shows: of hidden events, merged forks and gaps. */
async function besideTimeline(db: Read, { timeline }: StateBounds, from: number, to: number): Promise<number[]> {
  if (from === to) return []
  const inTimeline = new Set(timeline.events.map(({ nid }) => nid))
  const changes = await stateDifference(db, from, to)
  return changes.flatMap(({ after }) => (after === undefined || inTimeline.has(after) ? [] : [after]))
}

async function wholeEntries(db: Read, slice: Slice, bounds: StateBounds, root: number): Promise<Entry[]> {
  const entries = await namedState(db, root)
  if (!slice.request.filter.state.lazyLoadMembers) return entries
  const wanted = wantedMembers(bounds)
  return entries.filter(({ type, stateKey }) => type !== 'm.room.member' || wanted.has(stateKey))
}

/** Returns all changes, under lazy loading too: the client may know the member already. */
async function changedEntries(db: Read, bounds: StateBounds, root: number): Promise<Entry[]> {
  const before = await rootAt(db, bounds, bounds.after ?? 0)
  if (before === root) return []
  const changes = await stateDifference(db, before, root)
  const names = await keyNames(
    db,
    changes.map(({ key }) => key),
  )
  return changes.flatMap(({ key, after }) => {
    const name = names.get(key)
    return name && after !== undefined ? [{ ...name, event: after }] : []
  })
}

async function memberEvents(db: Read, bounds: StateBounds, root: number): Promise<number[]> {
  const events: number[] = []
  for (const stateKey of wantedMembers(bounds)) {
    const event = await stateEventNid(db, root, 'm.room.member', stateKey)
    if (event !== undefined) events.push(event)
  }
  return events
}

function wantedMembers({ timeline, wantedMembers: named }: StateBounds): Set<string> {
  return new Set([...timeline.events.map(({ pdu }) => pdu.sender), ...named])
}

/** Returns the root of a room's state at a position, from the tail if it reaches that far. */
export async function rootAt(
  db: Read,
  { roomId, tail, lastResolution = 0 }: Pick<StateBounds, 'roomId' | 'tail' | 'lastResolution'>,
  position: number,
): Promise<number> {
  const event = tail?.find((each) => (each.position ?? 0) <= position)
  // The state may have changed without an event since.
  if (event && lastResolution < (event.position ?? 0)) return event.roomRoot
  return stateRootAt(db, roomId, position)
}
