// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import type { Nid } from '@myelin/storage/schema/schema'
import { loadStateEvent } from './load-auth-state.ts'

/**
 * Returns whether a state of a room lets guests join.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomguest_access
 */
export async function allowsGuests(db: Read, stateRoot: Nid): Promise<boolean> {
  const event = await loadStateEvent(db, stateRoot, 'm.room.guest_access')
  return event !== undefined && stringMember(event.content, 'guest_access') === 'can_join'
}

/** Returns the error for a guest who may not join a room. */
export function guestsRefused(): MatrixError {
  return new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guests may not join this room')
}
