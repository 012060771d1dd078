// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { joinedServers } from '@myelin/storage/joined-servers'
import { outgoingEvents, roomsMovedAfter } from '@myelin/storage/outgoing-events'
import type { Pending } from './missed-events.ts'
import type { MovedRooms } from './moved-rooms.ts'
import { recipientsOf } from './recipients.ts'
import type { Sending } from './transaction.ts'

/** An event and the servers it goes to. */
export interface Spread extends Pending {
  readonly servers: ReadonlySet<ServerName>
}

/** What is to be sent of a stretch of the log, in its order; `rooms` are those that moved, all where it is not known. */
export async function spread(
  rt: Pick<Sending, 'db' | 'serverName'>,
  rooms: ReadonlySet<RoomId> | undefined,
  between: { readonly after: number; readonly upTo: number },
  moved: MovedRooms,
): Promise<Spread[]> {
  const found: Spread[] = []
  for (const roomId of rooms ?? (await roomsMovedAfter(rt.db.read, between.after))) {
    let isOwn = true
    for await (const page of outgoingEvents(rt.db.read, rt.serverName, roomId, between)) {
      for (const event of page) {
        const servers = await recipientsOf(rt.db.read, roomId, event)
        servers.delete(rt.serverName)
        if (servers.size === 0) continue
        isOwn = false
        found.push({ nid: event.nid, position: event.position, roomId, servers })
      }
    }
    if (isOwn && (await isAlone(rt, roomId))) moved.keepOut(roomId)
  }
  return found.toSorted((a, b) => a.position - b.position)
}

async function isAlone({ db, serverName }: Pick<Sending, 'db' | 'serverName'>, roomId: RoomId): Promise<boolean> {
  const servers = await joinedServers(db.read, roomId)
  return [...servers.keys()].every((server) => server === serverName)
}
