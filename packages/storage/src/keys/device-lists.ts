// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { trackersOf } from '../rooms/members/tracked-users.ts'
import { insertRow, prepared } from '../engine/prepared.ts'
import type { Position } from '../schema/schema.ts'

/** Records that a user's devices or keys changed, and wakes all users who track them. */
export async function noteDeviceChange(tx: Tx, user: UserId): Promise<void> {
  await putChange(tx, user, null)
  for (const other of await trackersOf(tx, user)) tx.touch(other)
}

/** Records a new signature of a user on another user's keys, which only the signer sees; wakes the signer. */
export async function noteSignature(tx: Tx, signer: UserId, user: UserId): Promise<void> {
  await putChange(tx, user, signer)
  tx.touch(signer)
}

/** Replaces the user's last change: a reader that has not seen it has not seen this one either. */
async function putChange(tx: Tx, user: UserId, onlyFor: UserId | null): Promise<void> {
  await tx
    .deleteFrom('device_list_changes')
    .where('user_id', '=', user)
    .where('only_for', onlyFor === null ? 'is' : '=', onlyFor)
    .execute()
  await insertRow(tx, 'device_list_changes', { user_id: user, position: tx.takePosition(), only_for: onlyFor })
}

/** Returns the position of the last change to a user's devices or keys that all users see; 0 if there is none. */
export async function lastDeviceChange(db: Read, user: UserId): Promise<Position> {
  const row = await db
    .selectFrom('device_list_changes')
    .select((row) => row.fn.max('position').as('position'))
    .where('user_id', '=', user)
    .where('only_for', 'is', null)
    .executeTakeFirst()
  return row?.position ?? 0
}

/** Returns the users whose devices or keys changed, as far as `viewer` may know, after one position and up to another. */
export async function deviceChangesBetween(
  db: Read,
  viewer: UserId,
  after: Position,
  upTo: Position,
): Promise<UserId[]> {
  const rows = await changedUsers(db, viewer, after, upTo)
  return rows.map((row) => row.user_id)
}

const changedUsers = prepared((db, viewer: UserId, after: Position, upTo: Position) =>
  db
    .selectFrom('device_list_changes')
    .select('user_id')
    .distinct()
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .where((row) => row.or([row('only_for', 'is', null), row('only_for', '=', viewer)])),
)

/**
 * Returns the users of this server whose devices or keys changed for all users after one position and up to another.
 */
export async function ownDeviceChangesBetween(
  db: Read,
  us: ServerName,
  after: Position,
  upTo: Position,
): Promise<{ readonly userId: UserId; readonly position: Position }[]> {
  const rows = await changesForAll(db, after, upTo)
  return rows
    .filter(({ user_id: user }) => serverOf(user) === us)
    .map((row) => ({ userId: row.user_id, position: row.position }))
}

const changesForAll = prepared((db, after: Position, upTo: Position) =>
  db
    .selectFrom('device_list_changes')
    .select(['user_id', 'position'])
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .where('only_for', 'is', null),
)
