// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { outgoingEvents, roomsChangedAfter } from '@myelin/storage/federation/outgoing-events'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import type { Receipt } from '@myelin/storage/sync/receipts'
import { serversThoughtInRoom } from '../../room-state/servers-thought-in-room.ts'
import { newlyShared } from './device-list-changes.ts'
import type { DeviceListChange } from './device-list-changes.ts'
import type { Pending } from './pending-event.ts'
import type { ChangedRooms } from './changed-rooms.ts'
import { roomsOwingSticky, stickyForNewcomers } from './owed-sticky.ts'
import { recipientsOf } from './recipients.ts'
import type { Sending } from './transaction.ts'

/** An event and the servers it goes to. */
interface Spread extends Pending {
  readonly servers: ReadonlySet<ServerName>
}

/** A receipt and the servers it goes to. */
interface SpreadReceipt {
  readonly receipt: Receipt
  readonly servers: readonly ServerName[]
}

/** The events and EDUs that a range of the log has to send. */
export interface OutgoingStretch {
  readonly events: readonly Spread[]
  readonly receipts: readonly SpreadReceipt[]
  /** Local users who started to share a room with servers. */
  readonly joins: readonly DeviceListChange[]
}

/** Returns what a stretch of the log has to send, in its order; `rooms` are the changed rooms, undefined for all. */
export async function spread(
  rt: Pick<Sending, 'db' | 'serverName' | 'config' | 'clock'>,
  rooms: ReadonlySet<RoomId> | undefined,
  between: { readonly after: number; readonly upTo: number },
  moved: ChangedRooms,
): Promise<OutgoingStretch> {
  const found: Spread[] = []
  const receipts: SpreadReceipt[] = []
  const joins: DeviceListChange[] = []
  const sticky = rooms?.size === 0 ? new Set() : await roomsOwingSticky(rt)
  for (const roomId of rooms ?? (await roomsChangedAfter(rt.db.read, between.after))) {
    let isOwn = true
    for await (const page of outgoingEvents(rt.db.read, rt.serverName, roomId, between)) {
      for (const event of page) {
        const servers = await recipientsOf(rt.db.read, rt.serverName, roomId, event)
        servers.delete(rt.serverName)
        if (servers.size === 0) continue
        isOwn = false
        found.push({ nid: event.nid, position: event.position, roomId, servers })
        const join = await newlyShared(rt, event, servers)
        if (join) joins.push(join)
      }
    }
    const owed = sticky.has(roomId) ? await stickyForNewcomers(rt, roomId, between) : []
    found.push(...without(owed, found))
    const read = await receiptsToTell(rt, roomId, between)
    receipts.push(...read)
    if (isOwn && read.length === 0 && (await isAlone(rt, roomId))) moved.keepOut(roomId)
  }
  return { events: found.toSorted((a, b) => a.position - b.position), receipts, joins }
}

/** Returns events without the servers that get them anyway. */
function without(events: readonly Spread[], sent: readonly Spread[]): Spread[] {
  if (events.length === 0) return []
  const byNid = new Map(sent.map(({ nid, servers }) => [nid, servers]))
  return events.flatMap((event) => {
    const servers = event.servers.difference(byNid.get(event.nid) ?? new Set())
    return servers.size === 0 ? [] : [{ ...event, servers }]
  })
}

async function receiptsToTell(
  { db, serverName }: Pick<Sending, 'db' | 'serverName'>,
  roomId: RoomId,
  { after, upTo }: { readonly after: number; readonly upTo: number },
): Promise<SpreadReceipt[]> {
  const moved = await receiptsBetween(db.read, roomId, after, upTo)
  const ours = moved.filter(({ kind, userId }) => kind === 'm.read' && serverOf(userId) === serverName)
  if (ours.length === 0) return []
  const servers = [...(await serversThoughtInRoom(db.read, roomId))].filter((server) => server !== serverName)
  return servers.length === 0 ? [] : ours.map((receipt) => ({ receipt, servers }))
}

async function isAlone({ db, serverName }: Pick<Sending, 'db' | 'serverName'>, roomId: RoomId): Promise<boolean> {
  const servers = await serversThoughtInRoom(db.read, roomId)
  return [...servers].every((server) => server === serverName)
}
