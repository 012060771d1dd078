// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { membershipIn, membersOf } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Room } from '@myelin/storage/rooms/rooms'
import { stateEvents } from '../reading/context.ts'
import { renderEvents } from '../reading/render.ts'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { inviteUser, joinRoom } from '../rooms/membership.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { localAccount } from './local-account.ts'

/** Returns the joined members of a room, for an admin; throws `M_NOT_FOUND` for an unknown room. */
export async function membersForAdmin({ db }: Pick<Runtime, 'db'>, roomId: RoomId): Promise<UserId[]> {
  await knownRoom(db, roomId)
  return (await membersOf(db.read, roomId, ['join'])).map(({ userId }) => userId)
}

/** Returns the current state events of a room, or those of one type, for an admin; throws `M_NOT_FOUND`. */
export async function stateForAdmin(
  { db, clock }: Pick<Runtime, 'db' | 'clock'>,
  requester: Requester,
  roomId: RoomId,
  type: string | undefined,
): Promise<RawJson[]> {
  const { stateRoot } = await knownRoom(db, roomId)
  const events = await stateEvents(db.read, stateRoot)
  const wanted = type === undefined ? events : events.filter(({ pdu }) => pdu.type === type)
  return renderEvents(db.read, wanted, { requester, now: clock.now(), format: { hasRoomId: true } })
}

/**
 * Joins a user of this server to a room, for an admin. The admin invites the user first where the room is not public, and must
 * be in the room for it.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/room_membership.html
 */
export async function joinForAdmin(
  rt: Runtime,
  requester: Requester,
  userId: UserId,
  room: { readonly roomId: RoomId; readonly via: readonly string[] },
): Promise<void> {
  const { roomId, via } = room
  const account = await localAccount(rt, userId)
  if (account.isDeactivated) throw new MatrixError('M_FORBIDDEN', 'the account is deactivated')
  if (await needsInvite(rt, userId, roomId)) await inviteUser(rt, { roomId, sender: requester.userId, target: userId })
  await joinRoom(rt, userId, roomId, { via })
}

async function needsInvite({ db }: Runtime, userId: UserId, roomId: RoomId): Promise<boolean> {
  const room = await roomById(db.read, roomId)
  const standing = room && (await membershipIn(db.read, roomId, userId))?.membership
  if (!room || standing === 'join' || standing === 'invite') return false
  const rules = await loadStateEvent(db.read, room.stateRoot, 'm.room.join_rules')
  return rules !== undefined && stringMember(rules.content, 'join_rule') !== 'public'
}

async function knownRoom(db: Runtime['db'], roomId: RoomId): Promise<Room> {
  const room = await roomById(db.read, roomId)
  if (!room) throw new MatrixError('M_NOT_FOUND', 'no such room')
  return room
}
