// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { countSessions } from '@myelin/storage/keys/key-backup-sessions'
import {
  countKeyBackups,
  createKeyBackup,
  deleteKeyBackup,
  keyBackup,
  newestKeyBackup,
  putBackupAuthData,
} from '@myelin/storage/keys/key-backups'
import type { KeyBackup } from '@myelin/storage/keys/key-backups'
import type { Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db'>

/** The most backups of a user; deleted ones do not count. */
export const MAX_BACKUPS = 100

/** The algorithm and `auth_data` of a backup. */
export interface BackupDefinition {
  readonly algorithm: string
  readonly authData: JsonObject
}

/** A backup as clients see it. */
export interface BackupSummary {
  readonly version: string
  readonly algorithm: string
  readonly authData: RawJson
  readonly etag: string
  readonly count: number
}

/**
 * Creates a backup and returns its version. From then on, only this one can be written to. Throws `M_FORBIDDEN` where the user
 * has too many.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3room_keysversion
 */
export async function createBackup(
  rt: Needs,
  user: UserId,
  { algorithm, authData }: BackupDefinition,
): Promise<string> {
  const backup = { algorithm, authData: JSON.stringify(authData) }
  const version = await rt.db.write(async (tx) => {
    if ((await countKeyBackups(tx, user)) >= MAX_BACKUPS)
      throw new MatrixError('M_FORBIDDEN', `you have ${MAX_BACKUPS} key backups; delete one first`)
    return createKeyBackup(tx, user, backup)
  })
  return String(version)
}

/**
 * Returns a backup of a user, the newest one without a version; throws `M_NOT_FOUND` if there is none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keysversionversion
 */
export async function readBackup(rt: Needs, user: UserId, version?: string): Promise<BackupSummary> {
  const db = rt.db.read
  const backup = version === undefined ? await newestKeyBackup(db, user) : await backupOf(db, user, version)
  if (!backup) throw new MatrixError('M_NOT_FOUND', 'there is no backup')
  return {
    version: String(backup.version),
    algorithm: backup.algorithm,
    authData: new RawJson(backup.authData),
    etag: String(backup.etag),
    count: await countSessions(db, { user, version: backup.version }),
  }
}

/**
 * Replaces the `auth_data` of a backup. The algorithm cannot change.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keysversionversion
 */
export async function updateBackup(
  rt: Needs,
  user: UserId,
  version: string,
  { algorithm, authData }: BackupDefinition,
): Promise<void> {
  await rt.db.write(async (tx) => {
    const backup = await backupOf(tx, user, version)
    if (backup.algorithm !== algorithm)
      throw new MatrixError('M_INVALID_PARAM', 'the algorithm of a backup cannot change')
    await putBackupAuthData(tx, user, backup.version, JSON.stringify(authData))
  })
}

/**
 * Deletes a backup with its keys. Deleting it again has no effect.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keysversionversion
 */
export async function deleteBackup(rt: Needs, user: UserId, version: string): Promise<void> {
  const number = numberOf(version)
  const isKnown = number !== undefined && (await rt.db.write((tx) => deleteKeyBackup(tx, user, number)))
  if (!isKnown) throw unknownBackup()
}

/** Returns a backup by its version as a client sent it; throws `M_NOT_FOUND` if it is unknown or deleted. */
export async function backupOf(db: Read, user: UserId, version: string): Promise<KeyBackup> {
  const number = numberOf(version)
  const backup = number === undefined ? undefined : await keyBackup(db, user, number)
  if (!backup) throw unknownBackup()
  return backup
}

/** Returns the backup of a version if it is the newest; throws `M_WRONG_ROOM_KEYS_VERSION` or `M_NOT_FOUND` otherwise. */
export async function writableBackup(db: Read, user: UserId, version: string): Promise<KeyBackup> {
  const backup = await backupOf(db, user, version)
  const newest = await newestKeyBackup(db, user)
  if (newest && newest.version !== backup.version) {
    throw new MatrixError('M_WRONG_ROOM_KEYS_VERSION', 'there is a newer backup', {
      extra: { current_version: String(newest.version) },
    })
  }
  return backup
}

function numberOf(version: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(version) ? Number(version) : undefined
}

function unknownBackup(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'there is no backup with this version')
}
