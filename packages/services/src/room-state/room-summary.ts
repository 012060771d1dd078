// SPDX-License-Identifier: Apache-2.0
import { isRoomId } from '@myelin/matrix/ids'
import type { RoomId } from '@myelin/matrix/ids'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { roomById } from '@myelin/storage/rooms/rooms'
import { shownContents } from './shown-state.ts'
import { roomVersionOf } from './versions.ts'
import { roomEntry } from './room-entry.ts'
import type { RoomEntry } from './room-entry.ts'

/** A room summary, in the wire format. */
export interface RoomSummary extends RoomEntry {
  /** The rooms whose members may join, for a restricted join rule. */
  readonly allowed_room_ids?: readonly RoomId[]
  readonly encryption?: string
  readonly room_version?: string
}

const RESTRICTED: ReadonlySet<string | undefined> = new Set(['restricted', 'knock_restricted'])

/**
 * Returns the summary of a room; undefined where this server has never been in it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export async function summaryOf(db: Read, roomId: RoomId): Promise<RoomSummary | undefined> {
  const room = await roomById(db, roomId)
  if (!room || room.joinedCount === 0) return undefined
  const shown = { stateRoot: room.stateRoot, version: roomVersionOf(room.roomVersion) }
  const state = await shownContents(db, shown, ['m.room.join_rules', 'm.room.encryption'])
  const encryption = stringMember(state.get('m.room.encryption') ?? {}, 'algorithm')
  const allowed = allowedRooms(state.get('m.room.join_rules') ?? {})
  return {
    ...(await roomEntry(db, { roomId, joinedCount: room.joinedCount, stateRoot: room.stateRoot })),
    room_version: room.roomVersion,
    ...(encryption === undefined ? {} : { encryption }),
    ...(allowed.length === 0 ? {} : { allowed_room_ids: allowed }),
  }
}

/** Returns the rooms that a restricted join rule names. */
function allowedRooms(joinRules: JsonObject): RoomId[] {
  const allow = member(joinRules, 'allow')
  if (!RESTRICTED.has(stringMember(joinRules, 'join_rule')) || !Array.isArray(allow)) return []
  return allow.flatMap((entry) => {
    const roomId = isObject(entry) && entry['type'] === 'm.room_membership' ? member(entry, 'room_id') : undefined
    return isRoomId(roomId) ? [roomId] : []
  })
}
