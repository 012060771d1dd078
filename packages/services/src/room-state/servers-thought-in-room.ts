// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { hintedServers } from '@myelin/storage/federation/partial-rooms'

/**
 * The servers that are in a room and, while its members are not known, those that are said to be: whom to tell what
 * happens there and whom to ask. Nobody is shown anything because of it.
 */
export async function serversThoughtInRoom(db: Read, roomId: RoomId): Promise<ReadonlySet<ServerName>> {
  return new Set([...(await joinedServers(db, roomId)).keys(), ...(await hintedServers(db, roomId))])
}
