// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByTime } from '@myelin/storage/rooms/events/events-by-time'
import type { TimePlace } from '@myelin/storage/rooms/events/events-by-time'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

const PAGE = 20
const MAX_PAGES = 10

/** Returns the event nearest to a time in one direction. `firstSeen` picks the first readable one, given the nearest first. */
export async function nearestEvent(
  db: Read,
  search: { readonly roomId: RoomId; readonly ts: number; readonly direction: 'forward' | 'backward' },
  firstSeen: (events: readonly StoredEvent[]) => Promise<StoredEvent | undefined>,
): Promise<StoredEvent | undefined> {
  let from: TimePlace = { ts: search.ts }
  for (let page = 0; page < MAX_PAGES; page++) {
    const events = await eventsByTime(db, { ...search, from, limit: PAGE })
    const seen = await firstSeen(events)
    if (seen) return seen
    const last = events.at(-1)
    if (!last || events.length < PAGE) return undefined
    from = { ts: last.pdu.originServerTs, position: last.position ?? 0 }
  }
  return undefined
}
