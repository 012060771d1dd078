// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import type { SigningKey } from '@myelin/matrix/signatures'
import { setTimeout as delay } from 'node:timers/promises'
import { closeAtEnd } from '../close-at-end.ts'
import { freePort } from './free-port.ts'

/** A Myelin process for a benchmark or a crash test, with a data folder of its own. */
export interface ServerProcess {
  readonly url: string
  readonly secret: string
  readonly folder: string
  readonly serverName: string
  readonly signingKey: SigningKey
  readonly pid: () => number
  /** The folder of its database and media. */
  readonly dataFolder: string
  /** Ends it without warning. */
  kill(): Promise<void>
  /** Resolves when the process has ended, for any reason. */
  ended(): Promise<void>
  /** Starts it again over the same database; it finds this in its environment besides. */
  restart(environment?: Readonly<Record<string, string>>): Promise<void>
  /** Stops it in order and starts it again; answers how many ms it took to be healthy. */
  renew(): Promise<number>
  /** Resident memory in bytes. */
  residentBytes(): number
  /** The most resident memory in bytes since this was asked last. */
  peakBytes(): number
  /** Processor time used since it was started, in ms. */
  processorMs(): number
  /** The size of its database in bytes; exact after {@link renew}. */
  bytesOnDisk(): Promise<number>
  /** Stops it in order and removes its folder. */
  close(): Promise<void>
}

// Linux counts processor time in hundredths of a second.
const MS_PER_TICK = 10
const SEED = Buffer.alloc(32, 9)
const NO_LIMIT = '{ per_second: 1000000, burst_count: 1000000 }'

/** Starts one on a free port of loopback; `database` is a PostgreSQL URL, or absent for a file. */
export async function startServerProcess({
  database,
  settings = '',
  prepare,
}: {
  readonly database?: string | undefined
  /** Lines of configuration more. */
  readonly settings?: string
  /** Called before the start with its folder and the folder of its data; returns its environment. */
  readonly prepare?: (folder: string, dataFolder: string) => Readonly<Record<string, string>>
} = {}): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-bench-'))
  const dataFolder = join(folder, 'data')
  mkdirSync(join(dataFolder, 'files'), { recursive: true })
  const port = await freePort()
  const config = join(folder, 'homeserver.yaml')
  const secret = 'bench secret'
  const where =
    database === undefined
      ? `{ name: sqlite3, args: { database: ${join(dataFolder, 'homeserver.db')} } }`
      : JSON.stringify(database)
  writeFileSync(join(folder, 'signing.key'), `ed25519 bench ${SEED.toString('base64').replace(/=+$/, '')}\n`)
  writeFileSync(
    config,
    `server_name: localhost
public_baseurl: http://127.0.0.1:${port}/
listeners: [{ port: ${port}, bind_addresses: [127.0.0.1], resources: [{ names: [client, federation, health, metrics] }] }]
database: ${where}
registration_shared_secret: ${secret}
signing_key_path: ${join(folder, 'signing.key')}
media_store_path: ${join(dataFolder, 'files', 'media')}
rc_message: ${NO_LIMIT}
rc_registration: ${NO_LIMIT}
rc_reports: ${NO_LIMIT}
rc_user_directory: ${NO_LIMIT}
rc_room_creation: ${NO_LIMIT}
rc_profile: ${NO_LIMIT}
rc_public_rooms: ${NO_LIMIT}
rc_search: ${NO_LIMIT}
rc_key_uploads: ${NO_LIMIT}
rc_to_device: ${NO_LIMIT}
rc_login: { address: ${NO_LIMIT}, account: ${NO_LIMIT}, failed_attempts: ${NO_LIMIT} }
rc_joins: { local: ${NO_LIMIT}, remote: ${NO_LIMIT} }
rc_joins_per_room: ${NO_LIMIT}
rc_invites: { per_room: ${NO_LIMIT}, per_user: ${NO_LIMIT}, per_issuer: ${NO_LIMIT} }
rc_federation: { sleep_limit: 1000000, reject_limit: 1000000, concurrent: 1000 }
presence: { enabled: false }
log_level: warn
trusted_key_servers: []
${settings}`,
  )
  const url = `http://127.0.0.1:${port}`
  const state: { child: ChildProcess } = { child: await launch(config, url, prepare?.(folder, dataFolder)) }
  // The server must not outlive this program.
  process.once('exit', () => state.child.kill('SIGKILL'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const end = async (signal: 'SIGKILL' | 'SIGTERM') => {
    const { child } = state
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
  return {
    url,
    secret,
    folder,
    dataFolder,
    serverName: 'localhost',
    signingKey: signingKeyFromSeed('bench', SEED),
    pid: () => state.child.pid ?? 0,
    kill: () => end('SIGKILL'),
    ended: async () => {
      const { child } = state
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
    restart: async (environment) => {
      state.child = await launch(config, url, environment)
    },
    residentBytes: () => {
      const status = readFileSync(`/proc/${state.child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
    },
    peakBytes: () => {
      const status = readFileSync(`/proc/${state.child.pid}/status`, 'utf8')
      // Writing 5 to this file makes Linux reset the peak.
      writeFileSync(`/proc/${state.child.pid}/clear_refs`, '5')
      return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
    },
    processorMs: () => {
      const stat = readFileSync(`/proc/${state.child.pid}/stat`, 'utf8')
      const [userTicks = 0, systemTicks = 0] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13)
        .map(Number)
      return (userTicks + systemTicks) * MS_PER_TICK
    },
    bytesOnDisk: () => (database === undefined ? fileBytes(dataFolder) : databaseBytes(database)),
    renew: async () => {
      await end('SIGTERM')
      const startedMs = performance.now()
      state.child = await launch(config, url)
      return performance.now() - startedMs
    },
    close: closeAtEnd(async () => {
      await end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    }),
  }
}

async function fileBytes(folder: string): Promise<number> {
  const files = readdirSync(folder).filter((name) => name.startsWith('homeserver.db'))
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

async function databaseBytes(url: string): Promise<number> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('vacuum')
  const { rows } = await client.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes')
  await client.end()
  return Number(rows[0]?.bytes)
}

async function launch(
  config: string,
  url: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> {
  const bin = new URL('../../../server/src/cli/bin.js', import.meta.url).pathname
  const child = spawn(process.execPath, [bin, 'start', '--config', config], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  })
  for (let attempt = 0; attempt < 1200; attempt++) {
    const isUp = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isUp) return child
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    if (child.signalCode !== null) throw new Error('the server died while it started')
    await delay(50)
  }
  throw new Error('the server did not start')
}
