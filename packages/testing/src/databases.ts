// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test, type TestOptions } from 'node:test'
import type { Database, DatabaseEvents } from '@myelin/storage/engine/database'
import { migrations } from '@myelin/storage/schema/migrations/all'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import pg from 'pg'
import { closeAtEnd } from './close-at-end.ts'
import { withTopicCheck } from './topic-check.ts'

/** Opens an empty database; `close` also removes it. */
export type OpenDatabase = (events?: DatabaseEvents) => Promise<Database>

const silent: DatabaseEvents = { committed: () => {} }
/** The PostgreSQL server of this run, from `npm test`. */
const serverUrl = process.env['MYELIN_TEST_POSTGRES']
/** The engine that `npm test -- --engine` names; both where it names none. */
const only = process.env['MYELIN_TEST_ENGINE']
const isOnSqlite = only !== 'postgres'
const isOnPostgres = only !== 'sqlite'

/** The engines, by name. */
export type Engine = 'sqlite' | 'postgres'

/** Runs the same suite on every engine we support. A storage test that does not use it is a bug. */
export function onEveryDatabase(name: string, suite: (open: OpenDatabase, engine: Engine) => void): void {
  if (isOnSqlite) describe(`${name} (sqlite)`, () => suite(openTemporarySqlite, 'sqlite'))
  if (!isOnPostgres) return
  describe(`${name} (postgres)`, () => {
    after(dropUsed)
    suite((events) => openTemporaryPostgres(serverOfRun(), events), 'postgres')
  })
}

/** Defines a test that runs unless only PostgreSQL is tested: the SQLite half of a test on both engines. */
export function testOnSqlite(name: string, run: () => Promise<void>, options: TestOptions = {}): void {
  if (isOnSqlite) void test(name, options, run)
}

/** Defines a test of PostgreSQL; none where only SQLite is tested. */
export function testOnPostgres(name: string, run: () => Promise<void>, options: TestOptions = {}): void {
  if (isOnPostgres) void test(name, options, run)
}

function serverOfRun(): string {
  if (serverUrl === undefined) throw new Error('run tests with npm test: it starts the PostgreSQL they need')
  return serverUrl
}

/** Opens an SQLite database in a folder of its own. */
export async function openTemporarySqlite(events: DatabaseEvents = silent): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  const database = await openSqlite(join(folder, 'homeserver.db'), events)
  const close = closeAtEnd(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  return withTopicCheck({ ...database, close })
}

/**
 * Opens an empty database on the PostgreSQL server of the run: a new one, or one that an earlier test of this process has
 * closed.
 */
export async function openTemporaryPostgres(url: string, events: DatabaseEvents = silent): Promise<Database> {
  const created = used.pop() ?? (await createDatabase(url))
  const database = await openPostgres({ connectionString: created.url, maxReaders: 3 }, events)
  const close = closeAtEnd(async () => {
    await database.close()
    await emptyDatabase(created.url)
    used.push(created)
  })
  return withTopicCheck({ ...database, close })
}

// Making a database and its tables takes a third of a second, emptying one takes some milliseconds.
const used: CreatedDatabase[] = []

async function dropUsed(): Promise<void> {
  for (const created of used.splice(0)) await created.drop()
}

/** Takes every row out but those that the migrations leave behind. */
async function emptyDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    "select tablename as name from pg_tables where schemaname = 'public' and tablename not in ('schema_version', 'myelin_migrations')",
  )
  const first = migrations.flatMap(({ statements }) => statements.filter((text) => text.startsWith('insert')))
  await client.query([...rows.map(({ name }) => `delete from "${name}"`), ...first].join('; '))
  await client.end()
}

/** A database that was made for a test. */
export interface CreatedDatabase {
  readonly url: string
  readonly drop: () => Promise<void>
}

/** Creates an empty database on a server; `npm test` drops in the end those that a failed test has left. */
export async function createDatabase(url = serverOfRun()): Promise<CreatedDatabase> {
  const name = `${process.env['MYELIN_TEST_DATABASES'] ?? 'myelin_test'}_${process.pid}_${++serial}`
  const order = async (text: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(text)
    await client.end()
  }
  await order(`create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return { url: own.toString(), drop: () => order(`drop database ${name} with (force)`) }
}

let serial = 0
