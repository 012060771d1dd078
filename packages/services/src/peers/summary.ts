// SPDX-License-Identifier: Apache-2.0
import { isRoomId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { RoomSummary } from '../room-state/room-summary.ts'

const TEXTS = ['name', 'topic', 'canonical_alias', 'avatar_url', 'room_type', 'encryption', 'room_version'] as const
const MAX_TEXT = 65_536
const MAX_ALLOWED = 100

/** Returns a room summary from another server's answer, field by field; undefined where it has no room ID. */
export function summaryIn(said: JsonObject): RoomSummary | undefined {
  const roomId = member(said, 'room_id')
  if (!isRoomId(roomId)) return undefined
  const count = member(said, 'num_joined_members')
  const allowed = member(said, 'allowed_room_ids')
  const allowedRooms = (Array.isArray(allowed) ? allowed : []).filter(isRoomId).slice(0, MAX_ALLOWED)
  const texts = TEXTS.flatMap((key) => {
    const text = stringMember(said, key)
    return text === undefined || text.length > MAX_TEXT ? [] : [[key, text]]
  })
  return {
    room_id: roomId,
    num_joined_members: isCount(count) ? count : 0,
    world_readable: member(said, 'world_readable') === true,
    guest_can_join: member(said, 'guest_can_join') === true,
    join_rule: stringMember(said, 'join_rule') ?? 'public',
    ...(allowedRooms.length === 0 ? {} : { allowed_room_ids: allowedRooms }),
    ...Object.fromEntries(texts),
  }
}

/** Returns whether a value is a count: a safe integer of at least 0. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
