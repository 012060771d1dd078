// SPDX-License-Identifier: Apache-2.0
import { DatabaseUnavailable } from '../unavailable.ts'
import type { Outage } from '../unavailable.ts'

// Primary result codes of SQLite; the upper bits of an extended code give details.
const PRIMARY = 0xff
const OUTAGES: ReadonlyMap<number, Outage> = new Map([
  // SQLITE_BUSY
  [5, 'locked'],
  // SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN
  [8, 'disk'],
  [10, 'disk'],
  [13, 'disk'],
  [14, 'disk'],
])

/** Returns the outage that an error of SQLite means; undefined for other errors. */
export function sqliteOutage(cause: unknown): Outage | undefined {
  const { errcode } = cause as { readonly errcode?: number }
  return errcode === undefined ? undefined : OUTAGES.get(errcode & PRIMARY)
}

/** Returns a `DatabaseUnavailable` for an error of SQLite that is an outage. Returns other errors unchanged. */
export function sqliteFailure(cause: unknown): unknown {
  const outage = sqliteOutage(cause)
  return outage ? new DatabaseUnavailable(outage, cause) : cause
}

/** Returns whether another process holds the lock of the file. */
export const isLocked = (cause: unknown): boolean => cause instanceof DatabaseUnavailable && cause.outage === 'locked'
