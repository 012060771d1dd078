// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { isServerAllowed } from '@myelin/rules/server-acl'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServers, usersOfServer } from '@myelin/storage/rooms/members/joined-servers'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { isFederated } from '../../room-state/is-federated.ts'
import type { RoomSummary } from '../../room-state/room-summary.ts'
import { shownContent } from '../../room-state/shown-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'

const OPEN_RULES: ReadonlySet<string> = new Set(['public', 'knock', 'knock_restricted'])

/** Returns whether a room is world readable, public, or open to knocks. */
export function isPublicRoom({ join_rule: rule, world_readable: isReadable }: RoomSummary): boolean {
  return isReadable || OPEN_RULES.has(rule)
}

/**
 * Returns whether a user may see a room: they are in it or invited, may join or knock, or it is world readable.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
export async function mayUserEnter(db: Read, user: UserId, room: RoomSummary): Promise<boolean> {
  const standing = await membershipIn(db, room.room_id, user)
  if (standing?.membership === 'join' || standing?.membership === 'invite') return true
  if (standing?.membership === 'ban') return room.world_readable
  if (isPublicRoom(room)) return true
  for (const allowed of room.join_rule === 'restricted' ? (room.allowed_room_ids ?? []) : []) {
    if ((await membershipIn(db, allowed, user))?.membership === 'join') return true
  }
  return false
}

/**
 * Returns whether users of a server may see a room, by the server's relation to it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid
 */
export async function mayServerEnter(db: Read, server: ServerName, summary: RoomSummary): Promise<boolean> {
  const roomId = summary.room_id
  const row = await roomById(db, roomId)
  if (!row || !(await isFederated(db, row.stateRoot))) return false
  const room = { stateRoot: row.stateRoot, version: roomVersionOf(row.roomVersion) }
  if (!isServerAllowed(server, await shownContent(db, room, 'm.room.server_acl'))) return false
  if (isPublicRoom(summary) || (await isIn(db, server, roomId))) return true
  for (const allowed of summary.join_rule === 'restricted' ? (summary.allowed_room_ids ?? []) : []) {
    if (await isIn(db, server, allowed)) return true
  }
  const users = await usersOfServer(db, roomId, server)
  return users.some(({ membership }) => membership === 'invite')
}

async function isIn(db: Read, server: ServerName, roomId: RoomId): Promise<boolean> {
  return (await joinedServers(db, roomId)).has(server)
}
