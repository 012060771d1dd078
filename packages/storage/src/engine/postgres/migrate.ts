// SPDX-License-Identifier: Apache-2.0
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
import { DatabaseRefused, planMigrations, refusedAsEarlier } from '../../schema/migrations/pending.ts'
import type { FoundSchema } from '../../schema/migrations/pending.ts'
import type { Shape } from '../../schema/migrations/shape.ts'
import type { PostgresClient } from './client.ts'
import { FIRST_SHAPE } from './first-shape.ts'

const spelling = { id: 'bigint', bytes: 'bytea', compact: '', features: ['inverted indexes'] }

/** The advisory lock that a node holds while it migrates. The other nodes wait for it. */
const MIGRATION_LOCK = 7305

/** Options of {@link migratePostgres}. */
export interface PostgresMigration {
  readonly known?: readonly Migration[]
  /** The server that the database must belong to; any server if absent. */
  readonly serverName?: string | undefined
}

/**
 * Applies the missing migrations and records them, in one transaction.
 *
 * @throws {DatabaseRefused} see {@link planMigrations} and {@link refuseOtherOwner}; nothing was written
 */
export async function migratePostgres(client: PostgresClient, options: PostgresMigration = {}): Promise<void> {
  await refuseEncoding(client)
  await client.query({ text: 'begin' })
  try {
    await client.query({ text: `select pg_advisory_xact_lock(${MIGRATION_LOCK})` })
    await applyMissing(client, options)
    await client.query({ text: 'commit' })
  } catch (cause) {
    await client.query({ text: 'rollback' }).catch(() => {})
    throw cause
  }
}

/**
 * Checks that every migration was applied to a database. Writes nothing.
 *
 * @throws {DatabaseRefused} if one is missing, and as {@link planMigrations}
 */
export async function checkPostgresSchema(client: PostgresClient): Promise<void> {
  if (planMigrations(await foundSchema(client)).pending.length > 0) throw refusedAsEarlier()
}

async function refuseEncoding(client: PostgresClient): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>({
    text: "select current_setting('server_encoding') as encoding",
  })
  const encoding = rows[0]?.encoding
  if (encoding === 'UTF8') return
  throw new DatabaseRefused(
    `the database has the encoding ${encoding}, and Myelin needs UTF8; create another with ENCODING 'UTF8' TEMPLATE template0`,
  )
}

async function applyMissing(
  client: PostgresClient,
  { known = migrations, serverName }: PostgresMigration,
): Promise<void> {
  const found = await foundSchema(client)
  const { pending, unrecorded } = planMigrations(found, known)
  if (serverName !== undefined && found.tables.length > 0) {
    const { rows } = await client.query<OwnerRow>({ text: READ_OWNER })
    for (const row of rows) refuseOtherOwner(row, serverName)
  }
  if (pending.length === 0 && unrecorded.length === 0) return
  if (!found.applied) await client.query({ text: CREATE_RECORDS })
  const record = ({ id, checksum, myelin_version: version, compat_version: compat }: AppliedMigration) =>
    client.query({
      text: `insert into ${RECORD_TABLE} values ($1, $2, $3, $4)`,
      values: [id, checksum, version, compat],
    })
  for (const migration of unrecorded) await record(recordOf(migration, { isNew: false }))
  for (const migration of pending) {
    for (const statement of statementsFor(migration, spelling)) await client.query({ text: statement })
    await record(recordOf(migration, { isNew: true }))
  }
  // Versions from before the migration records read this row, and refuse a higher number than they know.
  const compatVersion = compatVersionOf(known.at(-1)?.id ?? 0, known)
  await client.query({ text: 'create table if not exists schema_version (version bigint not null)' })
  await client.query({ text: 'delete from schema_version' })
  await client.query({ text: 'insert into schema_version values ($1)', values: [compatVersion] })
}

async function foundSchema(client: PostgresClient): Promise<FoundSchema> {
  const actual = await shapeOf(client)
  const tables = [...actual.keys()].flatMap((name) => (name.startsWith('table ') ? [name.slice(6)] : []))
  const rows = async <Row>(text: string) => (await client.query<Row>({ text })).rows
  // Synapse also has a table of this name.
  const isOwn = actual.get('table schema_version') === FIRST_SHAPE.get('table schema_version')
  const [own] = isOwn
    ? await rows<{ version: number | null }>('select max(version) as version from schema_version')
    : []
  return {
    tables,
    compatVersion: own?.version ?? 0,
    applied: tables.includes(RECORD_TABLE) ? await rows<AppliedMigration>(READ_RECORDS) : undefined,
    shapes: () => ({ expected: FIRST_SHAPE, actual }),
  }
}

/** Reads the tables of our schema with columns and constraints, and the indexes without a constraint. Excludes extensions. */
const READ_SHAPE = `select kind || ' ' || name as name, definition from (
    select 'table' as kind, c.oid, c.relname as name,
      (select string_agg(attname || ' ' || format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end,
        ', ' order by attnum) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped)
      || coalesce((select string_agg(', ' || pg_get_constraintdef(oid), '' order by conname) from pg_constraint
        where conrelid = c.oid and contype <> 'n'), '') as definition
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
    union all
    select 'index', c.oid, c.relname, pg_get_indexdef(c.oid, 0, true)
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('i', 'I')
      and not exists (select from pg_constraint where conindid = c.oid)
  ) as found
  where not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = found.oid and deptype = 'e')
  order by 1`

/** Returns the shape of a client's database, sorted by name. */
export async function shapeOf(client: Pick<PostgresClient, 'query'>): Promise<Shape> {
  const { rows } = await client.query<{ name: string; definition: string }>({ text: READ_SHAPE })
  return new Map(rows.map(({ name, definition }) => [name, definition]))
}
