// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { outgoingEvents, roomsChangedAfter } from '@myelin/storage/federation/outgoing-events'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Pending } from './pending-event.ts'
import { missedSticky, roomsOwingSticky } from './owed-sticky.ts'
import { recipientsOf } from './recipients.ts'

/** The positions of missed events: after one and up to another. */
export interface Gap {
  readonly after: number
  readonly upTo: number
  /** The most events to send per room; the receiver fetches older ones itself. */
  readonly mostPerRoom: number
}

const MAX_TOTAL = 5_000
const MAX_LOOKED_AT = 2_000

/**
 * Returns the events that a server missed, in the order of the log. Of a room with many missed events only the newest
 * one is returned, whose `prev_events` lead to the others, and this server's sticky events.
 */
export async function missedEvents(
  rt: Pick<Runtime, 'db' | 'serverName' | 'clock'>,
  server: ServerName,
  gap: Gap,
): Promise<Pending[]> {
  const missed: Pending[] = []
  const sticky = await roomsOwingSticky(rt)
  for (const roomId of await roomsChangedAfter(rt.db.read, gap.after)) {
    const mostPerRoom = missed.length > MAX_TOTAL ? 1 : gap.mostPerRoom
    const inRoom = await missedInRoom(rt, server, roomId, { ...gap, mostPerRoom })
    const nids = new Set(inRoom.map(({ nid }) => nid))
    const owed = sticky.has(roomId) ? await missedSticky(rt, server, roomId, gap) : []
    missed.push(...inRoom, ...owed.filter(({ nid }) => !nids.has(nid)))
  }
  return missed.toSorted((a, b) => a.position - b.position)
}

async function missedInRoom(
  rt: { readonly db: { readonly read: Read }; readonly serverName: ServerName },
  server: ServerName,
  roomId: RoomId,
  gap: Gap,
): Promise<Pending[]> {
  const missed: Pending[] = []
  let left = MAX_LOOKED_AT
  for await (const page of outgoingEvents(rt.db.read, rt.serverName, roomId, gap)) {
    for (const event of page) {
      if (!(await recipientsOf(rt.db.read, rt.serverName, roomId, event)).has(server)) continue
      missed.push({ nid: event.nid, position: event.position, roomId })
      if (missed.length > gap.mostPerRoom) return missed.slice(0, 1)
    }
    left -= page.length
    if (left <= 0) break
  }
  return missed
}
