// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { copyFixture, FIXTURES } from '@myelin/testing/database-fixtures'
import { migrations } from '../../schema/migrations/all.ts'
import type { Migration } from '../../schema/migrations/migration.ts'
import { checkSqliteFile, migrateSqlite } from './migrate.ts'
import { openSqlite } from './sqlite.ts'

const later: Migration = {
  id: migrations.length + 1,
  statements: ['create table notes (note_nid {id} primary key, body {bytes} not null)'],
}
const silent = { committed: () => {} }

/** Runs statements on a database file and closes it. */
function change(path: string, ...statements: readonly string[]): void {
  const sqlite = new DatabaseSync(path)
  for (const statement of statements) sqlite.exec(statement)
  sqlite.close()
}

/** Leaves statements in the write-ahead log, as a process does that is killed. */
function changeAndDie(path: string, ...statements: readonly string[]): void {
  const script = `const sqlite = new (require('node:sqlite').DatabaseSync)(process.argv[1])
    for (const statement of JSON.parse(process.argv[2])) sqlite.exec(statement)
    process.kill(process.pid, 'SIGKILL')`
  const all = JSON.stringify(['pragma journal_mode = wal', 'pragma wal_autocheckpoint = 0', ...statements])
  spawnSync(process.execPath, ['-e', script, path, all])
}

/** Every byte beside a database file, by name. */
function bytesBeside(path: string): Map<string, string> {
  const folder = dirname(path)
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]))
}

async function assertRefused(path: string, message: RegExp, serverName?: string): Promise<void> {
  const before = bytesBeside(path)
  const name = serverName === undefined ? 'DatabaseRefused' : 'ForeignDatabase'
  await assert.rejects(openSqlite(path, silent, { serverName }), { name, message })
  assert.deepEqual(bytesBeside(path), before)
}

for (const name of FIXTURES) {
  test(`a database of ${name} is brought to a later schema, and earlier versions are refused from then on (sqlite)`, async () => {
    const { place, remove } = await copyFixture(name, 'sqlite')
    const known = [...migrations, later]
    const sqlite = new DatabaseSync(place)
    migrateSqlite(sqlite, known)
    migrateSqlite(sqlite, known)
    assert.equal(sqlite.prepare('select count(*) as n from notes').get()?.['n'], 0)
    assert.equal(sqlite.prepare('pragma user_version').get()?.['user_version'], later.id)
    sqlite.close()
    await assertRefused(place, /^the database was made by a newer Myelin \(migration \d+ of version/)
    await remove()
  })
}

for (const name of FIXTURES) {
  test(`a database of ${name} is refused for another server before it is migrated (sqlite)`, async () => {
    const { place, remove } = await copyFixture(name, 'sqlite')
    await assertRefused(place, /^the database belongs to \S+$/, 'renamed.org')
    changeAndDie(place, 'update log set position = position + 5')
    await assertRefused(place, /^the database belongs to \S+$/, 'renamed.org')
    const sqlite = new DatabaseSync(place, { readOnly: true })
    const { user_id: userId } = sqlite.prepare('select user_id from accounts limit 1').get() ?? {}
    sqlite.close()
    // Where no name was stored, the name of the accounts counts.
    change(place, "delete from settings where name = 'server_name'")
    await assertRefused(place, /^the database belongs to \S+$/, 'renamed.org')
    const owner = String(userId).replace(/^@[^:]*:/, '')
    await (await openSqlite(place, silent, { serverName: owner })).close()
    await remove()
  })
}

test('a database without a name and without accounts is taken by any server (sqlite)', async () => {
  const { place, remove } = await copyFixture(FIXTURES[0]!, 'sqlite')
  change(place, "delete from settings where name = 'server_name'", 'delete from accounts')
  await (await openSqlite(place, silent, { serverName: 'renamed.org' })).close()
  await remove()
})

/** A database of 0001 to which something was done. */
async function changed(...statements: readonly string[]) {
  const copy = await copyFixture('091ba61', 'sqlite')
  change(copy.place, ...statements)
  return copy
}

test('a database made by another text of 0001 is refused, and no byte of it changes (sqlite)', async () => {
  const others: readonly (readonly [string, RegExp])[] = [
    [
      'alter table rooms drop column last_move',
      /^the database was made by a development version .*table rooms differs/,
    ],
    ['drop index events_by_time', /index events_by_time is missing/],
    ['create table notes (text text)', /table notes is unknown/],
  ]
  for (const [statement, message] of others) {
    const { place, remove } = await changed(statement)
    await assertRefused(place, message)
    await remove()
  }
})

test('the same holds where a crash left a write-ahead log (sqlite)', async () => {
  const { place, remove } = await copyFixture('091ba61', 'sqlite')
  changeAndDie(place, 'drop index events_by_time')
  assert.deepEqual([...bytesBeside(place).keys()].sort(), ['homeserver.db', 'homeserver.db-shm', 'homeserver.db-wal'])
  await assertRefused(place, /index events_by_time is missing/)
  // A log that was copied without its index: SQLite makes the index anew to read the log.
  rmSync(`${place}-shm`)
  const [database, log] = [readFileSync(place), readFileSync(`${place}-wal`)]
  assert.throws(() => checkSqliteFile(place), /index events_by_time is missing/)
  assert.deepEqual([readFileSync(place), readFileSync(`${place}-wal`)], [database, log])
  await remove()
})

test('a database that a crash left with a write-ahead log is taken (sqlite)', async () => {
  const { place, remove } = await copyFixture('091ba61', 'sqlite')
  changeAndDie(place, 'update log set position = position + 5')
  await (await openSqlite(place, silent)).close()
  const sqlite = new DatabaseSync(place)
  const records = sqlite.prepare('select id, myelin_version from myelin_migrations order by id').all()
  sqlite.close()
  assert.deepEqual({ ...records[0] }, { id: 1, myelin_version: 'unrecorded' })
  assert.deepEqual(
    records.map(({ id }) => id),
    migrations.map(({ id }) => id),
  )
  await remove()
})

test('a migration whose checksum is another is refused (sqlite)', async () => {
  const { place, remove } = await copyFixture('091ba61', 'sqlite')
  await (await openSqlite(place, silent)).close()
  change(place, "update myelin_migrations set checksum = 'another'")
  await assertRefused(place, /^migration 1 was applied to the database with another text/)
  await remove()
})

test('a database file that was cut short is refused as damaged, and no byte of it changes (sqlite)', async () => {
  const { place, remove } = await copyFixture('091ba61', 'sqlite')
  truncateSync(place, 20_000)
  await assertRefused(place, /is damaged; restore it from a backup$/)
  await remove()
})

test('files of other software are refused, and no byte of them changes (sqlite)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-'))
  const path = join(folder, 'homeserver.db')
  change(path, 'create table events (id text)', 'create table applied_schema_deltas (version integer, file text)')
  await assertRefused(path, /^the database belongs to Synapse; give Myelin a database of its own$/)
  rmSync(path)
  change(path, 'create table bookmarks (url text)', 'pragma user_version = 1')
  await assertRefused(path, /^the database holds tables of other software \(bookmarks\)/)
  writeFileSync(path, 'not a database at all, but a text of some length: '.repeat(50))
  await assertRefused(path, /is not an SQLite database/)
  rmSync(folder, { recursive: true })
})
