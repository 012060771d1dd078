// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'

/** Throws `M_FORBIDDEN` if a user is not joined to a room, whether the room exists or not. */
export async function requireJoined(db: Read, roomId: RoomId, user: UserId): Promise<void> {
  const standing = await membershipIn(db, roomId, user)
  if (standing?.membership !== 'join') throw new MatrixError('M_FORBIDDEN', 'you are not in this room')
}
