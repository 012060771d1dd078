// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { copyFixture, FIXTURES } from '@myelin/testing/database-fixtures'
import { createDatabase, testOnPostgres, testOnSqlite } from '@myelin/testing/databases'
import type { Engine } from '@myelin/testing/databases'
import { dumpPostgres } from '@myelin/testing/postgres-dump'
import { serverFolder, spawnServer } from '@myelin/testing/outages/spawned-server'
import pg from 'pg'

const bin = fileURLToPath(new URL('../cli/bin.js', import.meta.url))
const TIMEOUT = { timeout: 120_000 }

/**
 * Asserts that a server with these settings ends with exit code 1 and one sentence, and creates no database; the folder is
 * put in for `DIR`. A port in use is noticed after the database is opened.
 */
async function assertRefused(settings: string, sentence: RegExp, prepare: (folder: string) => void = () => {}) {
  const place = serverFolder()
  place.configure(settings.replaceAll('DIR', place.folder))
  prepare(place.folder)
  const child = spawn(process.execPath, [bin, 'start', '-c', place.configFile], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [error, , [code]] = await Promise.all([text(child.stderr), text(child.stdout), once(child, 'close')])
  assert.equal(code, 1)
  assert.match(error, sentence)
  assert.equal(error.trimEnd().split('\n').length, 1, error)
  assert.doesNotMatch(error, /^\s+at /m)
  const isNoticedLate = sentence.source.startsWith('listeners cannot listen')
  assert.equal(existsSync(join(place.folder, 'homeserver.db')), isNoticedLate)
  place.remove()
}

test('a start that fails says in one sentence which setting is wrong and what to do (sqlite)', TIMEOUT, async () => {
  await assertRefused(
    'database: DIR/absent/a.db',
    /^database: there is no folder .*\/absent for .*create it, or correct/,
  )
  await assertRefused('database: DIR', /^database: .* is a folder; name a file in it$/m)
  await assertRefused('database: DIR/text.db', /^database: .*text\.db is not an SQLite database/, (folder) =>
    writeFileSync(join(folder, 'text.db'), 'no database, but a text of some length. '.repeat(50)),
  )
  await assertRefused('media_store_path: DIR/absent/media', /media_store_path names .*, but there is no folder/)
  await assertRefused('media_store_path: DIR/homeserver.yaml', /media_store_path names .*, which is not a folder/)
  await assertRefused(
    'listeners: [{port: 0, tls: true}]\ntls_certificate_path: DIR/a.crt\ntls_private_key_path: DIR/a.key',
    /tls_private_key_path names .*a\.key, which cannot be used with .*a\.crt/,
    (folder) => ['a.crt', 'a.key'].forEach((name) => writeFileSync(join(folder, name), 'no certificate')),
  )
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  const listeners = `listeners: [{port: ${port}, bind_addresses: [127.0.0.1]}]`
  await assertRefused(
    listeners,
    /listeners cannot listen at 127\.0\.0\.1:\d+: it is in use by another program; stop it/,
  )
  taken.close()
})

testOnPostgres(
  'a start that fails says in one sentence which setting is wrong and what to do (postgres)',
  async () => {
    const created = await createDatabase()
    const url = (change: (url: URL) => void) => {
      const changed = new URL(created.url)
      change(changed)
      return `database: ${changed.toString()}`
    }
    await assertRefused(
      url((to) => (to.port = '1')),
      /^database: cannot connect to PostgreSQL at .*:1: nothing listens/,
    )
    await assertRefused(
      url((to) => (to.hostname = 'absent.invalid')),
      /the host name cannot be resolved/,
    )
    await assertRefused(
      url((to) => (to.pathname = '/absent')),
      /has no database absent; create it: CREATE DATABASE "absent"/,
    )
    await assertRefused(
      url((to) => (to.username = 'absent')),
      /refuses the user absent .*create the role/,
    )
    const client = new pg.Client({ connectionString: created.url })
    await client.connect()
    const ascii = `${new URL(created.url).pathname.slice(1)}_ascii`
    await client.query(`create database ${ascii} encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0`)
    await assertRefused(
      url((to) => (to.pathname = `/${ascii}`)),
      /has the encoding SQL_ASCII, and Myelin needs UTF8/,
    )
    await client.query(`drop database ${ascii}`)
    await client.query('create table applied_schema_deltas (version integer, file text)')
    await assertRefused(
      url(() => {}),
      /^database: the database belongs to Synapse/,
    )
    await client.end()
    await created.drop()
  },
  TIMEOUT,
)

/** Returns every byte of the files beside an SQLite database, or a dump of a PostgreSQL database. */
async function contentOf(engine: Engine, place: string): Promise<unknown> {
  if (engine === 'postgres') return dumpPostgres(place)
  const folder = dirname(place)
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]))
}

/** Starts over a database as `example.org`, then under another name, and over one of an earlier version. */
async function assertNameKept(engine: Engine, empty: string) {
  const renamed = 'server_name: renamed.org\n'
  const place = serverFolder(`database: ${empty}`)
  assert.equal(await (await spawnServer(place.configFile)).stop(), 0)
  await assertRefused(
    `${renamed}database: ${empty}`,
    /server_name is renamed\.org, but the database belongs to example\.org; set it/,
  )
  assert.equal(await (await spawnServer(place.configFile)).stop(), 0)
  place.remove()
  for (const name of FIXTURES) {
    const copy = await copyFixture(name, engine)
    const before = await contentOf(engine, copy.place)
    await assertRefused(`${renamed}database: ${copy.place}`, /but the database belongs to /)
    assert.deepEqual(await contentOf(engine, copy.place), before)
    await copy.remove()
  }
}

testOnPostgres(
  'another server name over a database that has one is refused (postgres)',
  async () => {
    const created = await createDatabase()
    await assertNameKept('postgres', created.url)
    await created.drop()
  },
  TIMEOUT,
)

testOnSqlite(
  'another server name over a database that has one is refused (sqlite)',
  async () => {
    const place = serverFolder()
    await assertNameKept('sqlite', join(place.folder, 'own.db'))
    place.remove()
  },
  TIMEOUT,
)

testOnSqlite(
  'one process has an SQLite file; a check may read beside it, and its death frees the file',
  async () => {
    const place = serverFolder()
    const server = await spawnServer(place.configFile)
    await assertRefused(
      `database: ${place.folder}/homeserver.db`,
      /^database: .* is in use by another Myelin process; stop it/,
    )
    const check = spawnSync(process.execPath, [bin, 'check-database', '-c', place.configFile], { encoding: 'utf8' })
    assert.deepEqual([check.status, check.stdout], [0, 'The database is in order.\n'])
    const gone = once(server.process, 'exit')
    server.process.kill('SIGKILL')
    await gone
    assert.equal(await (await spawnServer(place.configFile)).stop(), 0)
    place.remove()
  },
  TIMEOUT,
)

testOnSqlite(
  'other users of the machine cannot read the database and the media, also those that were readable',
  async () => {
    const place = serverFolder()
    const media = join(place.folder, 'media')
    const paths = ['', '-wal', '-shm', '-lock'].map((suffix) => join(place.folder, `homeserver.db${suffix}`))
    const modes = () => [media, ...paths.filter((path) => existsSync(path))].map((path) => statSync(path).mode & 0o777)
    const first = await spawnServer(place.configFile)
    assert.deepEqual(modes(), [0o700, 0o600, 0o600, 0o600, 0o600])
    await first.stop()
    chmodSync(paths[0]!, 0o644)
    chmodSync(media, 0o755)
    const second = await spawnServer(place.configFile)
    assert.deepEqual(
      modes().filter((mode) => (mode & 0o007) !== 0),
      [],
    )
    await second.stop()
    place.remove()
  },
  TIMEOUT,
)

test('the folders of a new server are its owner’s, and a bad name is refused', () => {
  const place = serverFolder()
  const made = (name: string) =>
    spawnSync(
      process.execPath,
      [bin, 'generate-config', '--server-name', name, '-c', 'new/a.yaml', '--data-dir', 'new'],
      {
        cwd: place.folder,
        encoding: 'utf8',
      },
    )
  const bad = made('Example.org')
  assert.deepEqual([bad.status, bad.stderr], [1, 'the server name Example.org must be in lower case: example.org\n'])
  assert.equal(existsSync(join(place.folder, 'new')), false)
  mkdirSync(join(place.folder, 'other'))
  assert.equal(made('example.org').status, 0)
  assert.equal(statSync(join(place.folder, 'new')).mode & 0o777, 0o700)
  place.remove()
})
