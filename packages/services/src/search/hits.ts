// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import type { SearchEntry } from '@myelin/storage/engine/search-index'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { prunedFor } from '../reading/erased.ts'
import { relatedAsAsked } from '../reading/related.ts'
import { visibleTo } from '../reading/visible.ts'
import { passes } from '../room-state/event-filter.ts'
import type { EventFilter } from '../room-state/event-filter.ts'
import { matchText } from './match-text.ts'
import type { TextMatch } from './match-text.ts'
import type { Alternative } from './search-term.ts'
import { searchedTextOf } from './searched-text.ts'
import type { SearchedRooms } from './searched-rooms.ts'
import type { SearchKey } from './tokens.ts'

/** An event that matches a search term. */
export interface Hit extends TextMatch {
  readonly entry: SearchEntry
  readonly event: StoredEvent
}

/** The search that hits belong to. */
export interface HitSearch {
  readonly db: Read
  readonly user: UserId
  readonly ignored: ReadonlySet<string>
  readonly rooms: SearchedRooms
  readonly alternatives: readonly Alternative[]
  readonly keys: readonly SearchKey[]
  readonly filter: EventFilter
}

/** The number of events that are loaded at a time, and the estimated cost of comparing one, and of each character of it. */
const AT_ONCE = 64
const COMPARE_COST_US = 15
const CHARACTER_COST_US = 0.15

/**
 * Returns the entries whose events match as they are now, in the same order. The index is not trusted: a token is a part of a word,
 * and an event may have been redacted.
 */
export async function matching(search: HitSearch, entries: readonly SearchEntry[]): Promise<Hit[]> {
  const hits: Hit[] = []
  for (let start = 0; start < entries.length; start += AT_ONCE) {
    const chunk = entries.slice(start, start + AT_ONCE)
    const events = await cachedEvents(
      search.db,
      chunk.map(({ eventNid }) => eventNid),
    )
    for (const entry of chunk) {
      const event = events.get(entry.eventNid)
      const text = event && textOf(search, event)
      await step(COMPARE_COST_US + (text?.length ?? 0) * CHARACTER_COST_US)
      const match = text === undefined ? undefined : matchText(text, search.alternatives)
      if (event && match) hits.push({ entry, event, ...match })
    }
  }
  return hits
}

/** Returns the text of an event that is looked at: shown, of one of the keys, passing the filter, and not of an ignored user. */
function textOf({ ignored, keys, filter }: HitSearch, event: StoredEvent): string | undefined {
  const { pdu, status, position, redactedBy } = event
  if (status !== EVENT_STATUS.accepted || position === null || redactedBy !== null) return undefined
  const isState = pdu.stateKey !== undefined
  if (!isState && ignored.has(pdu.sender)) return undefined
  const found = searchedTextOf({ type: pdu.type, isState, content: pdu.content })
  // The rooms of the filter were picked already, with their predecessors.
  if (!found || !keys.includes(found.key) || !passes(pdu, { ...filter, rooms: undefined })) return undefined
  return found.text
}

/** Returns the hits that the user may see, in the same order. */
export async function visibleHits(search: HitSearch, hits: readonly Hit[]): Promise<Hit[]> {
  const byRoom = Map.groupBy(
    hits.map(({ event }) => event),
    ({ pdu }) => pdu.roomId,
  )
  const inRooms = await Promise.all(byRoom.entries().map(([roomId, events]) => seenIn(search, roomId, events)))
  const seen = new Set(inRooms.flat())
  return hits.filter(({ event }) => seen.has(event))
}

async function seenIn(
  { db, user, rooms, filter }: HitSearch,
  roomId: RoomId,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  const room = await rooms.room(roomId)
  if (!room) return []
  const readable = events.filter(({ position }) => (position ?? Infinity) <= room.upTo)
  const visible = await visibleTo(db, user, roomId, readable)
  const pruned = await prunedFor(db, visible, user)
  const related = await relatedAsAsked(db, roomId, visible, filter)
  return visible.filter((event) => !pruned.has(event) && (related?.has(event.pdu.id) ?? true))
}
