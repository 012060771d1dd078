// SPDX-License-Identifier: Apache-2.0
import { migrations } from './all.ts'
import { RECORD_TABLE } from './applied.ts'
import type { AppliedMigration } from './applied.ts'
import { checksumOf } from './migration.ts'
import type { Migration } from './migration.ts'
import { shapeDifferences } from './shape.ts'
import type { Shape } from './shape.ts'

/** The schema that an engine finds in a database before it writes to it. */
export interface FoundSchema {
  readonly tables: readonly string[]
  /** The oldest schema that may use it, where versions before the records look for it: 0 where there is none. */
  readonly compatVersion: number
  /** Its records, where it has some. */
  readonly applied: readonly AppliedMigration[] | undefined
  /** The shape it has, and the one that 0001 makes; both are asked for only where there are no records. */
  readonly shapes: () => { readonly expected: Shape; readonly actual: Shape }
}

/** A database that this version must not use. The message gives the reason and the remedy; nothing was written. */
export class DatabaseRefused extends Error {
  override readonly name: string = 'DatabaseRefused'
}

/** The migrations to apply, and those that were applied before migrations were recorded. */
export interface MigrationPlan {
  readonly pending: readonly Migration[]
  readonly unrecorded: readonly Migration[]
}

/**
 * Returns the migrations that are still to be applied to a database. Writes nothing.
 *
 * @throws {DatabaseRefused} if the database is not Myelin's, if it was made by another text of a migration, or by a
 * newer Myelin whose schema this version may not use
 */
export function planMigrations(found: FoundSchema, known: readonly Migration[] = migrations): MigrationPlan {
  if (found.tables.length === 0) return { pending: known, unrecorded: [] }
  if (found.applied) return { pending: pendingAfter(found.applied, known), unrecorded: [] }
  refuseForeign(found)
  if (found.compatVersion > (known.at(-1)?.id ?? 0)) throw refusedAsNewer(`schema ${found.compatVersion}`, known)
  const { expected, actual } = found.shapes()
  const differences = shapeDifferences(expected, actual)
  if (differences !== '')
    throw new DatabaseRefused(
      `the database was made by a development version of Myelin whose first migration had another text (${differences}); ` +
        'it cannot be migrated: run the version that made it, or start with an empty database',
    )
  // Before migrations were recorded there was one.
  return { pending: known.slice(1), unrecorded: known.slice(0, 1) }
}

function pendingAfter(applied: readonly AppliedMigration[], known: readonly Migration[]): readonly Migration[] {
  const newest = known.at(-1)?.id ?? 0
  for (const { id, checksum, myelin_version: version, compat_version: compat } of applied) {
    if (compat > newest) throw refusedAsNewer(`migration ${id} of version ${version}`, known)
    const own = known.find((migration) => migration.id === id)
    if (own && checksumOf(own) !== checksum)
      throw new DatabaseRefused(
        `migration ${id} was applied to the database with another text than this version has (by version ${version}); ` +
          'run the version that applied it, or restore a backup from before it',
      )
  }
  const done = new Set(applied.map(({ id }) => id))
  const last = Math.max(0, ...done)
  const missing = known.find(({ id }) => id < last && !done.has(id))
  if (missing)
    throw new DatabaseRefused(
      `${RECORD_TABLE} has no row for migration ${missing.id}, but one for ${last}; restore a backup`,
    )
  return known.filter(({ id }) => id > last)
}

/** Returns the refusal to read a database whose migrations are not all applied. */
export function refusedAsEarlier(): DatabaseRefused {
  return new DatabaseRefused('the database has an earlier schema; start the server once, which migrates it')
}

function refusedAsNewer(made: string, known: readonly Migration[]): DatabaseRefused {
  return new DatabaseRefused(
    `the database was made by a newer Myelin (${made}; this version knows migrations up to ${known.at(-1)?.id ?? 0}); ` +
      'run that version or a later one, or restore a backup from before the upgrade',
  )
}

/** Tables of 0001 that no other software is known to have together. */
const OWN_TABLES = ['log', 'moves', 'state_nodes']

function refuseForeign({ tables, compatVersion }: FoundSchema): void {
  if (tables.includes('applied_schema_deltas'))
    throw new DatabaseRefused('the database belongs to Synapse; give Myelin a database of its own')
  if (compatVersion > 0 && OWN_TABLES.some((table) => tables.includes(table))) return
  const named = tables.slice(0, 3).join(', ')
  throw new DatabaseRefused(`the database holds tables of other software (${named}); give Myelin an empty database`)
}
