// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { serversThoughtInRoom } from './servers-thought-in-room.ts'
import type { Runtime } from '../runtime/runtime.ts'

const MOST = 50

/**
 * Returns servers through which a room can be joined: this one first, if it is in it, then those with the most users
 * there.
 */
export async function residentServers(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  roomId: RoomId,
): Promise<readonly ServerName[]> {
  const counts = await joinedServers(rt.db.read, roomId)
  const servers = await serversThoughtInRoom(rt.db.read, roomId)
  const rank = (server: ServerName) => (server === rt.serverName ? Infinity : (counts.get(server) ?? 0))
  return [...servers].toSorted((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1)).slice(0, MOST)
}
