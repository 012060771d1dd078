// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Tables } from '../schema/schema.ts'

/** A backup of room keys, without the keys. `authData` is JSON; `etag` counts the changes of the keys. */
export interface KeyBackup {
  readonly version: number
  readonly algorithm: string
  readonly authData: string
  readonly etag: number
}

/** Creates a backup with a version above all earlier ones of the user; returns the version. */
export async function createKeyBackup(
  tx: Tx,
  user: UserId,
  { algorithm, authData }: Pick<KeyBackup, 'algorithm' | 'authData'>,
): Promise<number> {
  const last = await tx
    .selectFrom('key_backups')
    .select('version')
    .where('user_id', '=', user)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  const version = (last?.version ?? 0) + 1
  await tx
    .insertInto('key_backups')
    .values({ user_id: user, version, algorithm, auth_data: authData, etag: 0, is_deleted: 0 })
    .execute()
  // Of the deleted ones only the last version is needed, and that is below this one.
  await tx.deleteFrom('key_backups').where('user_id', '=', user).where('is_deleted', '=', 1).execute()
  return version
}

/** Returns how many backups a user has, without deleted ones. */
export async function countKeyBackups(db: Read, user: UserId): Promise<number> {
  const row = await db
    .selectFrom('key_backups')
    .select((backups) => backups.fn.countAll<number>().as('count'))
    .where('user_id', '=', user)
    .where('is_deleted', '=', 0)
    .executeTakeFirst()
  return row?.count ?? 0
}

/** Returns one of a user's backups, unless it was deleted. */
export async function keyBackup(db: Read, user: UserId, version: number): Promise<KeyBackup | undefined> {
  const row = await db
    .selectFrom('key_backups')
    .selectAll()
    .where('user_id', '=', user)
    .where('version', '=', version)
    .where('is_deleted', '=', 0)
    .executeTakeFirst()
  return row && backupFrom(row)
}

/** Returns the newest of a user's backups: the only one that is written to. */
export async function newestKeyBackup(db: Read, user: UserId): Promise<KeyBackup | undefined> {
  const row = await db
    .selectFrom('key_backups')
    .selectAll()
    .where('user_id', '=', user)
    .where('is_deleted', '=', 0)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && backupFrom(row)
}

/** Replaces the `auth_data` of a backup. */
export async function putBackupAuthData(tx: Tx, user: UserId, version: number, authData: string): Promise<void> {
  await tx
    .updateTable('key_backups')
    .set({ auth_data: authData })
    .where('user_id', '=', user)
    .where('version', '=', version)
    .where('is_deleted', '=', 0)
    .execute()
}

/** Increments the etag of a backup whose keys changed; returns it. */
export async function moveBackupEtag(tx: Tx, user: UserId, version: number): Promise<number> {
  const { etag } = await tx
    .updateTable('key_backups')
    .set((row) => ({ etag: row('etag', '+', 1) }))
    .where('user_id', '=', user)
    .where('version', '=', version)
    .returning('etag')
    .executeTakeFirstOrThrow()
  return etag
}

/** Deletes a backup with its keys; its version is never given again. False if there never was such a backup. */
export async function deleteKeyBackup(tx: Tx, user: UserId, version: number): Promise<boolean> {
  const known = await tx
    .updateTable('key_backups')
    .set({ is_deleted: 1, auth_data: '{}' })
    .where('user_id', '=', user)
    .where('version', '=', version)
    .returning('version')
    .executeTakeFirst()
  if (!known) return isEarlierVersion(tx, user, version)
  await tx.deleteFrom('key_backup_sessions').where('user_id', '=', user).where('version', '=', version).execute()
  return true
}

/** Returns whether a user had a backup of this version: a newer one forgets those that were deleted. */
async function isEarlierVersion(db: Read, user: UserId, version: number): Promise<boolean> {
  const last = await db
    .selectFrom('key_backups')
    .select((backups) => backups.fn.max('version').as('version'))
    .where('user_id', '=', user)
    .executeTakeFirst()
  return version > 0 && version < (last?.version ?? 0)
}

function backupFrom(row: Tables['key_backups']): KeyBackup {
  return { version: row.version, algorithm: row.algorithm, authData: row.auth_data, etag: row.etag }
}
