// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'

/** Throws `M_FORBIDDEN` for who is not joined to the room, whether there is one or not. */
export async function requireJoined(db: Read, roomId: RoomId, user: UserId): Promise<void> {
  const standing = await membershipIn(db, roomId, user)
  if (standing?.membership !== 'join') throw new MatrixError('M_FORBIDDEN', 'you are not in this room')
}
