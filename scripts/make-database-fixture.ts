// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { printSigningKey, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { dumpPostgres } from '@myelin/testing/postgres-dump'
import { fillServer } from './fixture/fill.ts'
import { startCheckout } from './fixture/server.ts'
import { startPostgres } from '@myelin/testing/processes/postgres-server'

/**
 * Makes the databases from which migrations are tested: `node scripts/make-database-fixture.ts CHECKOUT NAME` runs the
 * server of a checkout on each engine, fills it with rooms, keys and settings, and stores its database and media as
 * `packages/testing/fixtures/databases/NAME.*`.
 */
const [checkout, name] = process.argv.slice(2)
if (checkout === undefined || name === undefined)
  throw new Error('usage: node scripts/make-database-fixture.ts CHECKOUT NAME')

const SERVER_NAME = 'one.test'
// The key that the servers of tests have, so that one of them can go on with the database.
const signingKey = printSigningKey(signingKeyFromSeed('test', hash('sha256', SERVER_NAME, 'buffer')))
const target = new URL('../packages/testing/fixtures/databases/', import.meta.url).pathname

await keep('sqlite', async (folder, make) => {
  const path = join(folder, 'homeserver.db')
  await make(path)
  // Closed in order, it has no write-ahead log beside it.
  return readFileSync(path)
})
await keep('postgres', async (_, make) => {
  const postgres = await startPostgres()
  await make(postgres.url)
  const dump = await dumpPostgres(postgres.url)
  await postgres.stop()
  return dump
})

type Make = (database: string) => Promise<void>

async function keep(
  engine: string,
  dumpOf: (folder: string, make: Make) => Promise<Uint8Array | string>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-fixture-'))
  const dump = await dumpOf(folder, async (database) => {
    const where = { database, serverName: SERVER_NAME, signingKey }
    const server = await startCheckout(resolve(checkout ?? '.'), folder, where)
    const contents = await fillServer(server.url)
    await server.stop()
    const files = globSync('**/*', { cwd: server.mediaFolder, withFileTypes: true }).filter((file) => file.isFile())
    const media = files.map((file) => {
      const path = join(file.parentPath, file.name)
      return [path.slice(server.mediaFolder.length + 1), readFileSync(path, 'base64')]
    })
    const text = JSON.stringify({ ...contents, files: Object.fromEntries(media), madeTs: Date.now() }, undefined, 2)
    writeFileSync(join(target, `${name}.${engine}.json`), `${text}\n`)
  })
  writeFileSync(join(target, `${name}.${engine}.gz`), gzipSync(dump, { level: 9 }))
  rmSync(folder, { recursive: true })
}
