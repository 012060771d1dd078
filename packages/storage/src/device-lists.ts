// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from './database.ts'
import { usersSharingRooms } from './members.ts'
import { prepared } from './prepared.ts'
import type { Position } from './schema.ts'

/** Records that a user's devices or keys changed, and wakes everybody who shares a room with them. */
export async function noteDeviceChange(tx: Tx, user: UserId): Promise<void> {
  await tx.insertInto('device_list_changes').values({ user_id: user, position: tx.takePosition() }).execute()
  for (const other of await usersSharingRooms(tx, user)) tx.touch(other)
}

/** The users whose devices or keys changed after one position and up to another. */
export async function deviceChangesBetween(db: Read, after: Position, upTo: Position): Promise<UserId[]> {
  const rows = await changedUsers(db, after, upTo)
  return rows.map((row) => row.user_id)
}

const changedUsers = prepared((db, after: Position, upTo: Position) =>
  db
    .selectFrom('device_list_changes')
    .select('user_id')
    .distinct()
    .where('position', '>', after)
    .where('position', '<=', upTo),
)
