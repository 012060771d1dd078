// SPDX-License-Identifier: Apache-2.0
import { isRoomId, isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { isServerAllowed } from '@myelin/rules/server-acl'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { hintedServers } from '@myelin/storage/federation/partial-rooms'
import { roomById } from '@myelin/storage/rooms/rooms'
import { shownContent } from '../../room-state/shown-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'

/**
 * Returns the room of an EDU, where this server is in it and its ACL allows the origin.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls
 */
export async function roomOfEdu(
  rt: { readonly db: { readonly read: Read }; readonly serverName: ServerName },
  origin: ServerName,
  roomId: unknown,
): Promise<RoomId | undefined> {
  const room = isRoomId(roomId) ? await roomById(rt.db.read, roomId) : undefined
  if (!room || !(await joinedServers(rt.db.read, room.id)).has(rt.serverName)) return undefined
  const where = { version: roomVersionOf(room.roomVersion), stateRoot: room.stateRoot }
  const acl = await shownContent(rt.db.read, where, 'm.room.server_acl')
  return isServerAllowed(origin, acl) ? room.id : undefined
}

/** Returns the user of an EDU, where they belong to the origin and are in the room. */
export async function memberOfEdu(
  db: Read,
  origin: ServerName,
  roomId: RoomId,
  userId: unknown,
): Promise<UserId | undefined> {
  if (!isUserId(userId) || serverOf(userId) !== origin) return undefined
  const standing = await membershipIn(db, roomId, userId)
  // In a partially joined room an unknown user counts as joined where their server is assumed to be in the room.
  if (!standing) return (await hintedServers(db, roomId)).includes(origin) ? userId : undefined
  return standing.membership === 'join' ? userId : undefined
}
