// SPDX-License-Identifier: Apache-2.0
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { RoomId } from '@myelin/matrix/ids'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'

/** The properties of a room that filters of lists are about. */
export interface RoomTraits {
  readonly isEncrypted: boolean
  readonly roomType: string | null
  readonly name: string | undefined
}

const cache = new DatabaseCache<{ readonly root: number; readonly traits: RoomTraits }>('roomTraits', 50_000)

/**
 * Returns the traits of a room: of its state, or of the stripped state for a user who is only invited or knocking. Undefined
 * where nothing is known of the room.
 */
async function roomTraits(db: Read, membership: Membership): Promise<RoomTraits | undefined> {
  const { roomId, strippedState } = membership
  if (membership.membership !== 'join' && strippedState !== null) return strippedTraits(strippedState)
  const root = (await cachedRoom(db, roomId))?.stateRoot ?? 0
  return root === 0 ? undefined : traitsOf(db, roomId, root)
}

/** The number of rooms whose traits are read at the same time. */
const ROOMS_AT_ONCE = 50

/** Returns the traits of many rooms. */
export async function traitsOfRooms(
  db: Read,
  memberships: readonly Membership[],
): Promise<Map<RoomId, RoomTraits | undefined>> {
  const traits = new Map<RoomId, RoomTraits | undefined>()
  for (let start = 0; start < memberships.length; start += ROOMS_AT_ONCE) {
    const part = memberships.slice(start, start + ROOMS_AT_ONCE)
    const read = await Promise.all(part.map((membership) => roomTraits(db, membership)))
    for (const [index, { roomId }] of part.entries()) traits.set(roomId, read[index])
  }
  return traits
}

async function traitsOf(db: Read, roomId: RoomId, root: number): Promise<RoomTraits> {
  const kept = cache.of(db).get(roomId)
  if (kept?.root === root) return kept.traits
  const create = await loadStateEvent(db, root, 'm.room.create')
  const name = await loadStateEvent(db, root, 'm.room.name')
  const traits: RoomTraits = {
    isEncrypted: (await loadStateEvent(db, root, 'm.room.encryption')) !== undefined,
    roomType: (create && stringMember(create.content, 'type')) ?? null,
    name: name && stringMember(name.content, 'name'),
  }
  cache.of(db).set(roomId, { root, traits })
  return traits
}

function strippedTraits(text: string): RoomTraits | undefined {
  const events = JSON.parse(text) as Json
  if (!Array.isArray(events)) return undefined
  const contentOf = (type: string): JsonObject | undefined => {
    const event = (events as readonly Json[]).find((each) => isObject(each) && member(each, 'type') === type)
    return isObject(event) ? (objectMember(event, 'content') ?? {}) : undefined
  }
  const [create, name] = [contentOf('m.room.create'), contentOf('m.room.name')]
  if (!create && events.length === 0) return undefined
  return {
    isEncrypted: contentOf('m.room.encryption') !== undefined,
    roomType: (create && stringMember(create, 'type')) ?? null,
    name: name && stringMember(name, 'name'),
  }
}
