// SPDX-License-Identifier: Apache-2.0
import manifest from '../../../package.json' with { type: 'json' }
import { migrations } from './all.ts'
import { checksumOf } from './migration.ts'
import type { Migration } from './migration.ts'

/** A row of `myelin_migrations`: a migration that was applied, by which version of Myelin, and the oldest schema that may still use it. */
export interface AppliedMigration {
  readonly id: number
  readonly checksum: string
  readonly myelin_version: string
  readonly compat_version: number
}

/** The table that records applied migrations. Its shape is frozen: every version reads it before it knows anything else. */
export const RECORD_TABLE = 'myelin_migrations'

/**
 * Creates the table. It is made outside the migrations, because it must be readable whichever of them were applied, and
 * because 0001, which is frozen, has no place for it.
 */
export const CREATE_RECORDS = `create table ${RECORD_TABLE} (id bigint primary key, checksum text not null,
  myelin_version text not null, compat_version bigint not null)`

/** Reads it. */
export const READ_RECORDS = `select id, checksum, myelin_version, compat_version from ${RECORD_TABLE} order by id`

/** The version in records of migrations that were applied before versions were recorded. */
const UNRECORDED = 'unrecorded'

/** Returns the record of a migration that is applied now, or was before migrations were recorded. */
export function recordOf(migration: Migration, { isNew }: { readonly isNew: boolean }): AppliedMigration {
  return {
    id: migration.id,
    checksum: checksumOf(migration),
    myelin_version: isNew ? manifest.version : UNRECORDED,
    compat_version: migration.compatVersion ?? migration.id,
  }
}

/** Returns the oldest schema that may use a database to which migrations up to one were applied. */
export function compatVersionOf(upTo: number, known: readonly Migration[] = migrations): number {
  return Math.max(0, ...known.filter(({ id }) => id <= upTo).map(({ id, compatVersion }) => compatVersion ?? id))
}
