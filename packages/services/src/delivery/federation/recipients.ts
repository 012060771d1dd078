// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServersAt } from '@myelin/storage/rooms/members/joined-servers'
import { hintedServers } from '@myelin/storage/federation/partial-rooms'
import type { OutgoingEvent } from '@myelin/storage/federation/outgoing-events'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'

/**
 * Returns the servers that an event is sent to: those in the room before or after it, which is how a server learns
 * that its last user was removed, and the server of a user who loses an invite or a knock. In a partially joined room,
 * also the servers assumed to be in it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#pdus
 */
export async function recipientsOf(
  db: Read,
  us: ServerName,
  roomId: RoomId,
  event: OutgoingEvent,
): Promise<Set<ServerName>> {
  if (await wasHandedOver(db, us, roomId, event)) return new Set()
  const servers = new Set([
    ...(await joinedServersAt(db, roomId, event.stateAfter)).keys(),
    ...(await hintedServers(db, roomId)),
  ])
  const isMembership =
    event.type === 'm.room.member' && event.stateBefore !== event.stateAfter && event.stateBefore !== 0
  if (isMembership && isUserId(event.stateKey)) {
    for (const server of (await joinedServersAt(db, roomId, event.stateBefore)).keys()) servers.add(server)
    const before = await loadStateEvent(db, event.stateBefore, event.type, event.stateKey)
    const membership = before && stringMember(before.content, 'membership')
    if (membership === 'invite' || membership === 'knock') servers.add(serverOf(event.stateKey))
  }
  if (event.relayedFor) servers.delete(event.relayedFor)
  return servers
}

/**
 * Returns whether an event of this server brought the server into its room: then `/send_join` handed it to a resident
 * server, which sends it to the others.
 */
async function wasHandedOver(db: Read, us: ServerName, roomId: RoomId, event: OutgoingEvent): Promise<boolean> {
  if (event.type !== 'm.room.member' || event.relayedFor !== undefined || event.stateBefore === 0) return false
  if (!isUserId(event.stateKey) || serverOf(event.stateKey) !== us) return false
  if ((await joinedServersAt(db, roomId, event.stateBefore)).has(us)) return false
  return (await joinedServersAt(db, roomId, event.stateAfter)).has(us)
}
