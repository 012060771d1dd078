// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { sha256Base64, sha256Base64Url } from '@myelin/matrix/signatures'
import type { RoomVersion } from '../room-versions.ts'
import { canonicalMembers, signedForm } from './canonical-members.ts'

/**
 * Returns an event's reference hash in standard unpadded Base64.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event
 */
export function referenceHash(json: JsonObject, version: RoomVersion): string {
  return sha256Base64(signedForm(canonicalMembers(json, version), json, version))
}

/**
 * Returns the event ID from the signed form's hash; undefined in room versions 1 and 2, where the event contains its
 * ID.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v4/#event-ids
 */
export function hashedEventId(signed: string, version: RoomVersion): EventId | undefined {
  if (version.eventIds === 'chosen by server') return undefined
  return `$${version.eventIds === 'hash' ? sha256Base64(signed) : sha256Base64Url(signed)}` as EventId
}

/**
 * Returns the room ID of a create event since room version 12: its event ID with the other sigil.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#room-ids
 */
export function roomIdOfCreate(create: EventId): RoomId {
  return `!${create.slice(1)}` as RoomId
}

/** Returns the create event of a room ID since version 12. */
export function createOfRoomId(room: RoomId): EventId {
  return `$${room.slice(1)}` as EventId
}
