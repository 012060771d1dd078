// SPDX-License-Identifier: Apache-2.0
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { DatabaseRefused } from '../../schema/migrations/pending.ts'
import { sqliteOutage } from './outage.ts'

const OWNER_ONLY = 0o600
const OTHERS = 0o007

/**
 * Locks a database file for this process, until it ends or calls the returned function.
 *
 * The kernel releases the lock of a dead process. The lock is held on a file beside the database, so that other
 * programs can still read the database.
 *
 * @throws {DatabaseRefused} if another process has the lock
 */
export function lockSqliteFile(path: string): () => void {
  const lockFile = `${path}-lock`
  makePrivate(lockFile)
  const lock = new DatabaseSync(lockFile)
  try {
    // Node has no file locks of its own. The file stays empty.
    lock.exec('pragma busy_timeout = 0; begin exclusive')
  } catch (cause) {
    lock.close()
    if (sqliteOutage(cause) !== 'locked') throw cause
    throw new DatabaseRefused(
      `${path} is in use by another Myelin process; stop it, or give each server a database of its own`,
    )
  }
  return () => lock.close()
}

/** Creates a file with mode 0600, or sets that mode. SQLite creates `-wal` and `-shm` with the same mode. */
export function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', OWNER_ONLY))
  const { mode } = statSync(path)
  if ((mode & OTHERS) !== 0) chmodSync(path, mode & ~OTHERS)
}
