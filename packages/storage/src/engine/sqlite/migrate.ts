// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { migrations } from '../../schema/migrations/all.ts'
import {
  compatVersionOf,
  CREATE_RECORDS,
  READ_RECORDS,
  recordOf,
  RECORD_TABLE,
} from '../../schema/migrations/applied.ts'
import type { AppliedMigration } from '../../schema/migrations/applied.ts'
import { statementsFor } from '../../schema/migrations/migration.ts'
import { READ_OWNER, refuseOtherOwner } from '../../schema/migrations/owner.ts'
import type { OwnerRow } from '../../schema/migrations/owner.ts'
import type { Migration } from '../../schema/migrations/migration.ts'
import { DatabaseRefused, planMigrations } from '../../schema/migrations/pending.ts'
import type { FoundSchema } from '../../schema/migrations/pending.ts'
import type { Shape } from '../../schema/migrations/shape.ts'

const spelling = { id: 'integer', bytes: 'blob', compact: 'without rowid', features: ['virtual tables'] }

/**
 * Checks that this version may use a database file, if it exists, and returns the number of missing migrations. Changes no
 * byte of the database or its write-ahead log; SQLite only creates a missing index of the log (`-shm`).
 *
 * @param serverName the server that the database must belong to; any server if undefined
 * @throws {DatabaseRefused} see {@link planMigrations} and {@link refuseOtherOwner}
 */
export function checkSqliteFile(path: string, serverName?: string): number {
  checkPlace(path)
  if (sizeOf(path) === 0) return migrations.length
  const url = pathToFileURL(path)
  // A writable connection would switch a foreign file to WAL mode, and checkpoint the log of a crash when it closes.
  if (sizeOf(`${path}-wal`) === 0) url.search = 'immutable=1'
  else if (sizeOf(`${path}-shm`) > 0) url.search = 'readonly_shm=1'
  const sqlite = new DatabaseSync(url, { readOnly: true })
  try {
    const found = foundSchema(sqlite)
    const { pending } = planMigrations(found)
    if (serverName !== undefined && found.tables.length > 0)
      refuseOtherOwner(sqlite.prepare(READ_OWNER).get() as unknown as OwnerRow, serverName)
    return pending.length
  } catch (cause) {
    const { errcode = 0 } = cause as { readonly errcode?: number }
    if (errcode === NOT_A_DATABASE) throw new DatabaseRefused(`${path} is not an SQLite database; name another file`)
    // The low byte is the primary code.
    if ((errcode & 0xff) === DAMAGED) throw new DatabaseRefused(`${path} is damaged; restore it from a backup`)
    throw cause
  } finally {
    sqlite.close()
  }
}

const DAMAGED = 11
const NOT_A_DATABASE = 26

function checkPlace(path: string): void {
  const folder = dirname(path)
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new DatabaseRefused(`there is no folder ${folder} for ${path}; create it, or correct the path`)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw new DatabaseRefused(`${path} is a folder; name a file in it`)
  if (found && !found.isFile()) throw new DatabaseRefused(`${path} is not a file; name another one`)
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

/** Applies the migrations that are missing, and records them, in the transaction that is open. */
export function migrateSqlite(sqlite: DatabaseSync, known: readonly Migration[] = migrations): void {
  const { pending, unrecorded } = planMigrations(foundSchema(sqlite), known)
  if (pending.length === 0 && unrecorded.length === 0) return
  if (!tablesOf(sqlite).includes(RECORD_TABLE)) sqlite.exec(CREATE_RECORDS)
  const insert = sqlite.prepare(`insert into ${RECORD_TABLE} values (?, ?, ?, ?)`)
  const record = (row: AppliedMigration) => insert.run(row.id, row.checksum, row.myelin_version, row.compat_version)
  for (const migration of unrecorded) record(recordOf(migration, { isNew: false }))
  for (const migration of pending) {
    for (const statement of statementsFor(migration, spelling)) sqlite.exec(statement)
    record(recordOf(migration, { isNew: true }))
  }
  // Versions from before the migration records read this number, and refuse a higher one than they know.
  sqlite.exec(`pragma user_version = ${compatVersionOf(known.at(-1)?.id ?? 0, known)}`)
}

function foundSchema(sqlite: DatabaseSync): FoundSchema {
  const tables = tablesOf(sqlite)
  return {
    tables,
    compatVersion: Number(sqlite.prepare('pragma user_version').get()?.['user_version'] ?? 0),
    applied: tables.includes(RECORD_TABLE)
      ? (sqlite.prepare(READ_RECORDS).all() as unknown as AppliedMigration[])
      : undefined,
    shapes: () => ({ expected: firstShape(), actual: shapeOf(sqlite) }),
  }
}

function tablesOf(sqlite: DatabaseSync): string[] {
  return [...shapeOf(sqlite).keys()].flatMap((name) => (name.startsWith('table ') ? [name.slice(6)] : []))
}

/** Returns the definitions of all tables and indexes, without SQLite's internal ones. */
function shapeOf(sqlite: DatabaseSync): Shape {
  const rows = sqlite
    .prepare(
      "select type, name, sql from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\'",
    )
    .all() as { type: string; name: string; sql: string }[]
  return new Map(rows.map(({ type, name, sql }) => [`${type} ${name}`, sql]))
}

function firstShape(): Shape {
  const sqlite = new DatabaseSync(':memory:')
  try {
    for (const statement of statementsFor(migrations[0] ?? { statements: [] }, spelling)) sqlite.exec(statement)
    return shapeOf(sqlite)
  } finally {
    sqlite.close()
  }
}
