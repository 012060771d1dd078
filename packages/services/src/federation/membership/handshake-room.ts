// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { isServerAllowed } from '@myelin/rules/server-acl'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { roomById } from '@myelin/storage/rooms/rooms'
import { shownContent } from '../../room-state/shown-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { EnteredRoom } from '../../rooms/append/authorising-user.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * Returns the room of a membership request from another server. Throws `M_NOT_FOUND` where this server is not in it,
 * and `M_FORBIDDEN` where its ACL denies the server. A partially joined room is `M_NOT_FOUND` where the answer needs
 * its members, so that the server tries another resident server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
export async function handshakeRoom(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  origin: ServerName,
  roomId: RoomId,
  needsMembers = false,
): Promise<EnteredRoom> {
  const db = rt.db.read
  const row = await roomById(db, roomId)
  if (!row || !(await joinedServers(db, roomId)).has(rt.serverName)) {
    throw new MatrixError('M_NOT_FOUND', 'this server is not in the room')
  }
  if (row.isPartial && needsMembers) {
    throw new MatrixError('M_NOT_FOUND', 'this server does not know the members of the room yet')
  }
  const room = { id: roomId, stateRoot: row.stateRoot, version: roomVersionOf(row.roomVersion) }
  if (!isServerAllowed(origin, await shownContent(db, room, 'm.room.server_acl'))) {
    throw new MatrixError('M_FORBIDDEN', 'the server ACL of the room denies your server')
  }
  return room
}
