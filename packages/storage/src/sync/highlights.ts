// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Tx } from '../engine/database.ts'
import { internUser } from '../engine/names.ts'
import type { OpenRoom } from '../rooms/rooms.ts'
import type { Position } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** Records that an event highlights for some users by name. */
export async function putHighlights(
  tx: Tx,
  room: OpenRoom,
  users: readonly UserId[],
  position: Position,
): Promise<void> {
  for (const user of users) {
    await tx
      .insertInto('highlights')
      .values({ room_nid: room.nid, user_nid: await internUser(tx, user), position })
      .execute()
    tx.touch(topics.named(user))
  }
}
