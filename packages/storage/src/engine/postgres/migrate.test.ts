// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { copyFixture, FIXTURES } from '@myelin/testing/database-fixtures'
import { createDatabase, testOnPostgres } from '@myelin/testing/databases'
import { dumpPostgres } from '@myelin/testing/postgres-dump'
import { migrations } from '../../schema/migrations/all.ts'
import type { Migration } from '../../schema/migrations/migration.ts'
import { shapeDifferences } from '../../schema/migrations/shape.ts'
import { PostgresClient } from './client.ts'
import { FIRST_SHAPE } from './first-shape.ts'
import { migratePostgres, shapeOf } from './migrate.ts'
import { openPostgres } from './postgres.ts'

const later: Migration = {
  id: migrations.length + 1,
  statements: ['create table notes (note_nid {id} primary key, body {bytes} not null)'],
}

const open = (connectionString: string, serverName?: string) =>
  openPostgres({ connectionString, maxReaders: 1, serverName }, { committed: () => {} })

async function withClient<T>(url: string, use: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = new PostgresClient({ connectionString: url }, { connectsByItself: true })
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

const change = (url: string, text: string) => withClient(url, (client) => client.query({ text }))

async function assertRefused(url: string, message: RegExp, serverName?: string): Promise<void> {
  const before = await dumpPostgres(url)
  const name = serverName === undefined ? 'DatabaseRefused' : 'ForeignDatabase'
  await assert.rejects(open(url, serverName), { name, message })
  assert.equal(await dumpPostgres(url), before)
}

testOnPostgres('the shape that is expected of 0001 is the one it makes (postgres)', async () => {
  const { url, drop } = await createDatabase()
  const actual = await withClient(url, async (client) => {
    await migratePostgres(client, { known: migrations.slice(0, 1) })
    await client.query({ text: 'drop table myelin_migrations' })
    return shapeOf(client)
  })
  assert.equal(shapeDifferences(FIRST_SHAPE, actual), '')
  await drop()
})

for (const name of FIXTURES) {
  testOnPostgres(
    `a database of ${name} is brought to a later schema, and earlier versions are refused from then on (postgres)`,
    async () => {
      const { place, remove } = await copyFixture(name, 'postgres')
      const known = [...migrations, later]
      await withClient(place, async (client) => {
        await migratePostgres(client, { known })
        await migratePostgres(client, { known })
        const { rows } = await client.query<{ version: number }>({ text: 'select version from schema_version' })
        assert.deepEqual(rows, [{ version: later.id }])
        await client.query({ text: 'select body from notes' })
      })
      await assertRefused(place, /^the database was made by a newer Myelin \(migration \d+ of version/)
      await remove()
    },
  )
}

for (const name of FIXTURES) {
  testOnPostgres(`a database of ${name} is refused for another server before it is migrated (postgres)`, async () => {
    const { place, remove } = await copyFixture(name, 'postgres')
    await assertRefused(place, /^the database belongs to \S+$/, 'renamed.org')
    // Where no name was stored, the name of the accounts counts.
    await change(place, "delete from settings where name = 'server_name'")
    await assertRefused(place, /^the database belongs to \S+$/, 'renamed.org')
    await change(place, 'delete from accounts')
    await (await open(place, 'renamed.org')).close()
    await remove()
  })
}

testOnPostgres('a database made by another text of 0001 is refused, and nothing in it changes (postgres)', async () => {
  const others: readonly (readonly [string, RegExp])[] = [
    [
      'alter table rooms drop column last_move',
      /^the database was made by a development version .*table rooms differs/,
    ],
    ['alter table rooms alter column depth type integer', /table rooms differs/],
    ['drop index events_by_time', /index events_by_time is missing/],
    ['create table notes (text text)', /table notes is unknown/],
  ]
  for (const [statement, message] of others) {
    const { place, remove } = await copyFixture('091ba61', 'postgres')
    await change(place, statement)
    await assertRefused(place, message)
    await remove()
  }
})

testOnPostgres(
  'a migration whose checksum is another, and a newer schema without records, are refused (postgres)',
  async () => {
    const { place, remove } = await copyFixture('091ba61', 'postgres')
    await change(place, 'update schema_version set version = 1000')
    await assertRefused(place, /^the database was made by a newer Myelin \(schema 1000;/)
    await change(place, 'update schema_version set version = 1')
    await (await open(place)).close()
    await change(place, "update myelin_migrations set checksum = 'another'")
    await assertRefused(place, /^migration 1 was applied to the database with another text/)
    await remove()
  },
)

testOnPostgres(
  'a database of an earlier schema is not migrated for a reader, and no row of it changes (postgres)',
  async () => {
    const { place, remove } = await copyFixture('091ba61', 'postgres')
    const read = () => openPostgres({ connectionString: place, keepsSchema: true }, { committed: () => {} })
    const before = await dumpPostgres(place)
    await assert.rejects(read(), { name: 'DatabaseRefused', message: /^the database has an earlier schema;/ })
    assert.equal(await dumpPostgres(place), before)
    await (await open(place)).close()
    const migrated = await dumpPostgres(place)
    await (await read()).close()
    assert.equal(await dumpPostgres(place), migrated)
    await remove()
  },
)

testOnPostgres('databases of other software are refused, and nothing in them changes (postgres)', async () => {
  const { url, drop } = await createDatabase()
  await change(url, 'create table bookmarks (url text)')
  await assertRefused(url, /^the database holds tables of other software \(bookmarks\)/)
  await change(url, 'drop table bookmarks')
  // As Synapse has it, whose table of versions has the name of ours.
  await change(url, 'create table schema_version (lock char(1), version integer, upgraded bool)')
  await change(url, 'create table applied_schema_deltas (version integer, file text)')
  await assertRefused(url, /^the database belongs to Synapse/)
  await drop()
})

testOnPostgres('nodes that start at once on an empty database migrate it once (postgres)', async () => {
  const { url, drop } = await createDatabase()
  const nodes = await Promise.all([open(url), open(url), open(url)])
  const { rows } = await withClient(url, (client) =>
    client.query<{ id: number }>({ text: 'select id from myelin_migrations order by id' }),
  )
  assert.deepEqual(
    rows.map(({ id }) => id),
    migrations.map(({ id }) => id),
  )
  for (const node of nodes) await node.close()
  await drop()
})
