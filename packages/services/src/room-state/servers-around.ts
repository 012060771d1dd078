// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import type { Room } from '@myelin/storage/rooms/rooms'
import type { Runtime } from '../runtime/runtime.ts'
import { serversThoughtInRoom } from './servers-thought-in-room.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'>

/**
 * Returns whether a local user is in a room, so that this server is resident. Pass the room's row where it was just
 * read.
 */
export async function isResident(
  { db, serverName }: Needs,
  roomId: RoomId,
  known?: Pick<Room, 'stateRoot'>,
): Promise<boolean> {
  return (await joinedServers(db.read, roomId, known)).has(serverName)
}

/**
 * Returns servers that should know a room: those of the users who invited the user, those in the room when this server
 * left, and the one in the room ID.
 */
export async function serversAround({ db }: Needs, user: UserId, roomId: RoomId): Promise<ServerName[]> {
  const standing = await membershipIn(db.read, roomId, user)
  const event = standing && (await eventsByNid(db.read, [standing.eventNid])).get(standing.eventNid)
  const inviter = event && standing.membership === 'invite' ? [serverOf(event.pdu.sender)] : []
  const name = roomId.replace('!', '@')
  const home = isUserId(name) ? [serverOf(name)] : []
  return [
    ...inviter,
    ...shownServers(standing?.strippedState ?? null),
    ...(await serversThoughtInRoom(db.read, roomId)),
    ...home,
  ]
}

/** Returns the servers of the senders in stripped state. */
function shownServers(strippedState: string | null): ServerName[] {
  const shown = JSON.parse(strippedState ?? '[]') as readonly { readonly sender?: unknown }[]
  return shown.flatMap(({ sender }) => (isUserId(sender) ? [serverOf(sender)] : []))
}
