// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { isServerAllowed } from '@myelin/rules/server-acl'
import { isWorldReadable } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventById, eventsById } from '@myelin/storage/rooms/events/events'
import { joinedServers, joinedServersAt } from '@myelin/storage/rooms/members/joined-servers'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { shownContent } from '../../room-state/shown-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'

/** A room to which a server has access. */
export interface ServedRoom {
  readonly id: RoomId
  readonly version: RoomVersion
  readonly stateRoot: number
  /** The requesting server. */
  readonly origin: ServerName
  /** One of its users is in the room now, or was just before the named events. */
  readonly isIn: boolean
}

/** The most named events examined as proof that the server was in the room then. */
const MAX_PROOFS = 5

/**
 * Returns the room for a server with access to it: the server is in it, or the room is world readable; and its ACL
 * allows the server.
 *
 * A server whose last user left or was removed may still request the events that lead to `named` events before which
 * it was in the room. Otherwise it could not learn of the removal where it missed earlier events.
 *
 * All other servers get the same `M_FORBIDDEN`, whether the room exists or not.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#server-access-control-lists-acls
 */
export async function roomFor(
  db: Read,
  origin: ServerName,
  roomId: RoomId,
  named: readonly EventId[] = [],
): Promise<ServedRoom> {
  const row = await roomById(db, roomId)
  if (!row) throw noAccess()
  const room = { id: roomId, version: roomVersionOf(row.roomVersion), stateRoot: row.stateRoot }
  if (!isServerAllowed(origin, await shownContent(db, room, 'm.room.server_acl'))) throw noAccess()
  const isIn = (await joinedServers(db, roomId)).has(origin) || (await wasInBefore(db, origin, roomId, named))
  if (!isIn) {
    const content = await shownContent(db, room, 'm.room.history_visibility')
    if (!content || !isWorldReadable(stringMember(content, 'history_visibility'))) throw noAccess()
  }
  return { ...room, origin, isIn }
}

/** Returns whether a server was in a room before every one of these events, as far as their state is known. */
async function wasInBefore(db: Read, origin: ServerName, roomId: RoomId, named: readonly EventId[]): Promise<boolean> {
  if (named.length === 0 || named.length > MAX_PROOFS) return false
  const events = await eventsById(db, named)
  if (events.length < new Set(named).size) return false
  for (const { pdu, position, stateBefore, status } of events) {
    if (pdu.roomId !== roomId || position === null || status === EVENT_STATUS.rejected) return false
    if (!(await joinedServersAt(db, roomId, stateBefore)).has(origin)) return false
  }
  return true
}

/** Returns an event of a room that was not rejected; throws `M_NOT_FOUND` for any other. */
export async function eventIn(db: Read, room: ServedRoom, eventId: EventId): Promise<StoredEvent> {
  const event = await eventById(db, eventId)
  if (!event || event.pdu.roomId !== room.id || event.status === EVENT_STATUS.rejected) throw noSuchEvent()
  return event
}

/** Returns the error for an event that is not stored, or not served. */
export function noSuchEvent(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'no such event')
}

/** Returns the error for a server without access to a room. */
export function noAccess(): MatrixError {
  return new MatrixError('M_FORBIDDEN', 'your server has no access to this room')
}
