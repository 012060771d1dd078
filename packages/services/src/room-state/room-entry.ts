// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { isWorldReadable } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import type { PublishedRoom } from '@myelin/storage/rooms/published-rooms'
import { versionOfRoom } from '@myelin/storage/rooms/rooms'
import { shownContents } from './shown-state.ts'
import { roomVersionOf } from './versions.ts'

/** A room in the directory, in the wire format. */
export interface RoomEntry {
  readonly room_id: RoomId
  readonly num_joined_members: number
  readonly world_readable: boolean
  readonly guest_can_join: boolean
  readonly join_rule: string
  readonly name?: string
  readonly topic?: string
  readonly canonical_alias?: string
  readonly avatar_url?: string
  readonly room_type?: string
}

const TYPES = [
  'm.room.create',
  'm.room.name',
  'm.room.topic',
  'm.room.canonical_alias',
  'm.room.avatar',
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
] as const

/**
 * Returns the directory entry of a room, from its current state.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms
 */
export async function roomEntry(db: Read, { roomId, joinedCount, stateRoot }: PublishedRoom): Promise<RoomEntry> {
  const version = roomVersionOf(await versionOfRoom(db, roomId))
  const state = await shownContents(db, { stateRoot, version }, TYPES)
  const said = (type: (typeof TYPES)[number], key: string) => stringMember(state.get(type) ?? {}, key)
  const optional = {
    name: said('m.room.name', 'name'),
    topic: said('m.room.topic', 'topic'),
    canonical_alias: said('m.room.canonical_alias', 'alias'),
    avatar_url: said('m.room.avatar', 'url'),
    room_type: said('m.room.create', 'type'),
  }
  return {
    room_id: roomId,
    num_joined_members: joinedCount,
    world_readable: isWorldReadable(said('m.room.history_visibility', 'history_visibility')),
    guest_can_join: said('m.room.guest_access', 'guest_access') === 'can_join',
    join_rule: said('m.room.join_rules', 'join_rule') ?? 'invite',
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined && value !== '')),
  }
}
