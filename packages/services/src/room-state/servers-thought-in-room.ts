// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { hintedServers } from '@myelin/storage/federation/partial-rooms'

/**
 * Returns the servers in a room and, while it is partially joined, those assumed to be in it. Use it to choose
 * destinations and sources, never to grant access.
 */
export async function serversThoughtInRoom(db: Read, roomId: RoomId): Promise<ReadonlySet<ServerName>> {
  return new Set([...(await joinedServers(db, roomId)).keys(), ...(await hintedServers(db, roomId))])
}
