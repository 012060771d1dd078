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

/** A room that a server may ask about. */
export interface ServedRoom {
  readonly id: RoomId
  readonly version: RoomVersion
  readonly stateRoot: number
  /** Who asks. */
  readonly origin: ServerName
  /** Whether one of its users is in the room now, or was just before the events it names. */
  readonly isIn: boolean
}

/** So many of the events that are named may show that the server was in the room then. */
const MAX_PROOFS = 5

/**
 * The room, for a server that may ask about it: one that is in it (or the world may read it) and that its ACL lets in.
 *
 * A server whose last user left or was removed may still ask what leads to `named` events before which it was in the
 * room: without that, it cannot learn of the removal when it has missed what went before. Nothing it gets is news to it.
 *
 * Everybody else gets the same `M_FORBIDDEN`, whether we know the room or not.
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
  if (!row) throw notForYou()
  const room = { id: roomId, version: roomVersionOf(row.roomVersion), stateRoot: row.stateRoot }
  if (!isServerAllowed(origin, await shownContent(db, room, 'm.room.server_acl'))) throw notForYou()
  const isIn = (await joinedServers(db, roomId)).has(origin) || (await wasInBefore(db, origin, roomId, named))
  if (!isIn) {
    const content = await shownContent(db, room, 'm.room.history_visibility')
    if (!content || !isWorldReadable(stringMember(content, 'history_visibility'))) throw notForYou()
  }
  return { ...room, origin, isIn }
}

/** Whether a server was in a room before every one of these events of it, as far as we know their state. */
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

/** An event of a room that was not rejected; `M_NOT_FOUND` for any other. */
export async function eventIn(db: Read, room: ServedRoom, eventId: EventId): Promise<StoredEvent> {
  const event = await eventById(db, eventId)
  if (!event || event.pdu.roomId !== room.id || event.status === EVENT_STATUS.rejected) throw noSuchEvent()
  return event
}

/** What is answered for an event we do not have, or do not give. */
export function noSuchEvent(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'there is no such event here')
}

/** What is answered for what the asking server may not read. */
export function notForYou(): MatrixError {
  return new MatrixError('M_FORBIDDEN', 'your server may not read this room')
}
