// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { isServerAllowed } from '@myelin/rules/server-acl'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { roomById } from '@myelin/storage/rooms/rooms'
import { shownContent } from '../../room-state/shown-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { EnteredRoom } from '../../rooms/authorising-user.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * The room for whose membership another server asks: one that we are in, and whose ACL lets the server in. Where it
 * takes the room's members to answer (is this user banned? who is in the room?) and we do not know them yet, we are of no
 * help, and the server asks another.
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
    throw new MatrixError('M_NOT_FOUND', 'this server is not in that room')
  }
  if (row.isPartial && needsMembers) {
    throw new MatrixError('M_NOT_FOUND', 'this server does not know the members of that room yet')
  }
  const room = { id: roomId, stateRoot: row.stateRoot, version: roomVersionOf(row.roomVersion) }
  if (!isServerAllowed(origin, await shownContent(db, room, 'm.room.server_acl'))) {
    throw new MatrixError('M_FORBIDDEN', 'your server is not allowed in that room')
  }
  return room
}
