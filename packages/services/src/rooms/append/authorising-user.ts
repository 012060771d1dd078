// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import { isRoomId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Read } from '@myelin/storage/engine/database'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { membersOf, membershipIn } from '@myelin/storage/rooms/members/members'
import type { Runtime } from '../../runtime/runtime.ts'
import { loadState } from '../../room-state/load-auth-state.ts'
import { isPartial } from '../../room-state/await-whole.ts'

/** The room that a user joins. */
export interface EnteredRoom {
  readonly id: RoomId
  readonly version: RoomVersion
  readonly stateRoot: number
}

const MAX_CONDITIONS = 100

/**
 * Returns the local member who authorizes a user's join to a restricted room; undefined where none is needed.
 *
 * Throws `M_FORBIDDEN` for a user who is in none of the rooms that the join rule names, `M_UNABLE_TO_AUTHORISE_JOIN`
 * where this server is in none of these rooms either, and `M_UNABLE_TO_GRANT_JOIN` where no local user may invite.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms
 */
export async function authorisingUserFor(
  db: Read,
  { serverName }: Pick<Runtime, 'serverName'>,
  room: EnteredRoom,
  user: UserId,
): Promise<UserId | undefined> {
  const events = await loadState(db, room.stateRoot, [
    ['m.room.join_rules', ''],
    ['m.room.power_levels', ''],
    ['m.room.create', ''],
    ['m.room.member', user],
  ])
  const state = new AuthState(room.version, events)
  const isRestricted = state.joinRule === 'restricted' || state.joinRule === 'knock_restricted'
  if (!isRestricted || !room.version.auth.joinRules.includes(state.joinRule)) return undefined
  if (['join', 'invite'].includes(state.membershipOf(user))) return undefined
  const rule = events.get(stateKey('m.room.join_rules'))
  const fault = await faultOf(db, serverName, rule?.content ?? {}, user)
  if (fault) throw new MatrixError(fault, FAULTS[fault])
  for (const { userId } of await membersOf(db, room.id, ['join'])) {
    if (serverOf(userId) === serverName && state.powerOf(userId) >= state.levelFor('invite')) return userId
  }
  throw new MatrixError('M_UNABLE_TO_GRANT_JOIN', 'no local member may authorize the join')
}

const FAULTS = {
  M_FORBIDDEN: 'you are in none of the rooms that may join this one',
  M_UNABLE_TO_AUTHORISE_JOIN: 'this server is in none of the rooms that may join this one',
} as const satisfies Partial<Record<ErrorCode, string>>

async function faultOf(
  db: Read,
  serverName: ServerName,
  joinRules: JsonObject,
  user: UserId,
): Promise<keyof typeof FAULTS | undefined> {
  const rooms = allowedRooms(joinRules)
  let isKnown = rooms.length === 0
  for (const roomId of rooms) {
    if (!(await joinedServers(db, roomId)).has(serverName)) continue
    if ((await membershipIn(db, roomId, user))?.membership === 'join') return undefined
    // Membership of a partially joined room is unknown here: another server decides.
    isKnown ||= serverOf(user) === serverName || !(await isPartial(db, roomId))
  }
  return isKnown ? 'M_FORBIDDEN' : 'M_UNABLE_TO_AUTHORISE_JOIN'
}

function allowedRooms(joinRules: JsonObject): RoomId[] {
  const allowed = member(joinRules, 'allow')
  const conditions = Array.isArray(allowed) ? (allowed as readonly Json[]) : []
  return conditions.slice(0, MAX_CONDITIONS).flatMap((condition) => {
    const entry = objectMember({ condition }, 'condition')
    const roomId = entry && stringMember(entry, 'type') === 'm.room_membership' ? member(entry, 'room_id') : undefined
    return isRoomId(roomId) ? [roomId] : []
  })
}
