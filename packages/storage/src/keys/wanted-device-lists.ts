// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'

/** A user of another server whose devices are to be fetched, how often that failed, and when it is tried next (ms). */
export interface WantedDeviceList {
  readonly userId: UserId
  readonly tries: number
  readonly retryTs: number
}

/** Records that a user's devices are to be fetched; the records of earlier attempts stay. */
export async function wantDeviceList(tx: Tx, userId: UserId, now: number): Promise<void> {
  await tx
    .insertInto('wanted_device_lists')
    .values({ user_id: userId, tries: 0, retry_ts: now })
    .onConflict((at) => at.column('user_id').doNothing())
    .execute()
}

/** Notes that a try failed, and when the next one is. */
export async function postponeDeviceList(tx: Tx, { userId, tries, retryTs }: WantedDeviceList): Promise<void> {
  const row = { tries, retry_ts: retryTs }
  await tx
    .insertInto('wanted_device_lists')
    .values({ user_id: userId, ...row })
    .onConflict((at) => at.column('user_id').doUpdateSet(row))
    .execute()
}

/** Deletes the request for a user's device list, which was fetched or is not needed any more. */
export async function dropWantedDeviceList(tx: Tx, userId: UserId): Promise<void> {
  await tx.deleteFrom('wanted_device_lists').where('user_id', '=', userId).execute()
}

/** Returns the pending fetch of a user's device list, if there is one. */
export async function wantedDeviceList(db: Read, userId: UserId): Promise<WantedDeviceList | undefined> {
  const row = await db.selectFrom('wanted_device_lists').selectAll().where('user_id', '=', userId).executeTakeFirst()
  return row && { userId, tries: row.tries, retryTs: row.retry_ts }
}

/** Returns the users whose turn has come, the first due first. */
export async function dueDeviceLists(db: Read, now: number, limit: number): Promise<UserId[]> {
  const rows = await db
    .selectFrom('wanted_device_lists')
    .select('user_id')
    .where('retry_ts', '<=', now)
    .orderBy('retry_ts')
    .limit(limit)
    .execute()
  return rows.map((row) => row.user_id)
}

/** Takes these users on until a time, those whose turn it still is; other nodes leave them alone for so long. */
export async function takeDeviceLists(
  tx: Tx,
  users: readonly UserId[],
  { now, until }: { readonly now: number; readonly until: number },
): Promise<WantedDeviceList[]> {
  const rows = await inChunks(users, (chunk) =>
    tx
      .updateTable('wanted_device_lists')
      .set({ retry_ts: until })
      .where('user_id', 'in', chunk)
      .where('retry_ts', '<=', now)
      .returning(['user_id', 'tries'])
      .execute(),
  )
  return rows.map((row) => ({ userId: row.user_id, tries: row.tries, retryTs: until }))
}
