// SPDX-License-Identifier: Apache-2.0
import pg from 'pg'
import { DatabaseUnavailable } from '../unavailable.ts'

// Classes of SQLSTATE: connection exception, insufficient resources, operator intervention, system error.
const OUTAGE_CLASSES: ReadonlySet<string> = new Set(['08', '53', '57', '58'])
// Class 57, but a cancelled or slow statement is no outage.
const QUERY_CANCELED = '57014'
const DISK_FULL = '53100'
const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Returns a `DatabaseUnavailable` for an error of PostgreSQL that means that the server is gone, stops or lacks resources, or that
 * another node holds a lock for too long. Returns other errors unchanged.
 *
 * @param isLost whether the connection ended with it.
 */
export function postgresFailure(cause: unknown, isLost: boolean): unknown {
  if (cause instanceof DatabaseUnavailable) return cause
  const { code, severity } = cause instanceof pg.DatabaseError ? cause : {}
  if (code === DISK_FULL) return new DatabaseUnavailable('disk', cause)
  if (code === LOCK_NOT_AVAILABLE) return new DatabaseUnavailable('locked', cause)
  const isOutage = code !== QUERY_CANCELED && OUTAGE_CLASSES.has(code?.slice(0, 2) ?? '')
  const isFatal = severity === 'FATAL' || severity === 'PANIC'
  return isLost || isOutage || isFatal ? new DatabaseUnavailable('unreachable', cause) : cause
}
