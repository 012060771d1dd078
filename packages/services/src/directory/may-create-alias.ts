// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Requester } from '../runtime/runtime.ts'
import { loadAuthState } from '../room-state/load-auth-state.ts'
import { roomVersionOf } from '../room-state/versions.ts'

/**
 * Returns whether a user may manage a room's aliases and listing: server admins, and members who may set its canonical
 * alias.
 *
 * The spec leaves this to the server; this is Synapse's rule.
 */
export async function mayCreateAlias(
  db: Read,
  { userId, isAdmin }: Pick<Requester, 'userId' | 'isAdmin'>,
  roomId: RoomId,
): Promise<boolean> {
  if (isAdmin) return true
  const room = await roomById(db, roomId)
  const standing = await membershipIn(db, roomId, userId)
  if (!room || standing?.membership !== 'join') return false
  const type = 'm.room.canonical_alias'
  const draft = { sender: userId, type, stateKey: '', content: {} }
  const { state } = await loadAuthState(db, room.stateRoot, draft, roomVersionOf(room.roomVersion))
  return state.powerOf(userId) >= state.levelToSend(type, true)
}
