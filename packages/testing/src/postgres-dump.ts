// SPDX-License-Identifier: Apache-2.0
import { PostgresClient } from '@myelin/storage/engine/postgres/client'

/** Returns the SQL that makes a database anew: its tables, rows and indexes, in a fixed order, so that equal databases give equal texts. */
export async function dumpPostgres(url: string): Promise<string> {
  const client = new PostgresClient({ connectionString: url }, { connectsByItself: true })
  try {
    const tables = await textsOf(client, TABLES)
    const rows: string[] = []
    for (const name of await textsOf(client, NAMES)) {
      const columns = await textsOf(client, COLUMNS, [name])
      const holes = columns.map(() => '%L').join(', ')
      const text = `select format('insert into ${name} values (${holes});', ${columns.join(', ')}) as text from ${name} order by ${columns.join(', ')}`
      rows.push(...(await textsOf(client, text)))
    }
    return [...tables, ...rows, ...(await textsOf(client, INDEXES)), ''].join('\n')
  } finally {
    await client.close()
  }
}

/** Runs such a text in an empty database. */
export async function restorePostgres(url: string, dump: string): Promise<void> {
  const client = new PostgresClient({ connectionString: url }, { connectsByItself: true })
  try {
    await client.query({ text: dump })
  } finally {
    await client.close()
  }
}

/** Returns the texts of a query, read as bytes because the client decodes texts. */
async function textsOf(client: PostgresClient, text: string, values: readonly unknown[] = []): Promise<string[]> {
  const wrapped = `select convert_to(text, 'UTF8') as text from (${text}) as found`
  const { rows } = await client.query<{ text: Uint8Array }>({ text: wrapped, values })
  return rows.map((row) => Buffer.from(row.text).toString())
}

const OWN = "relnamespace = current_schema()::regnamespace and relkind = 'r'"
const NAMES = `select relname::text as text from pg_class where ${OWN} order by relname`
const COLUMNS = `select quote_ident(attname) as text from pg_attribute
  where attrelid = quote_ident($1)::regclass and attnum > 0 and not attisdropped order by attnum`
const TABLES = `select format('create table %I (%s);', relname,
    (select string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
      case when attnotnull then ' not null' else '' end), ', ' order by attnum)
      from pg_attribute where attrelid = pg_class.oid and attnum > 0 and not attisdropped)
    || coalesce((select string_agg(format(', constraint %I %s', conname, pg_get_constraintdef(oid)), '' order by conname)
      from pg_constraint where conrelid = pg_class.oid and contype <> 'n'), '')) as text
  from pg_class where ${OWN} order by relname`
const INDEXES = `select pg_get_indexdef(oid, 0, true) || ';' as text from pg_class
  where relnamespace = current_schema()::regnamespace and relkind = 'i'
    and not exists (select from pg_constraint where conindid = pg_class.oid) order by relname`
