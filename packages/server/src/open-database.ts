// SPDX-License-Identifier: Apache-2.0
import { claimServerName } from '@myelin/storage/accounts/server-name'
import type { Database, DatabaseEvents } from '@myelin/storage/engine/database'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import type { Reader } from '@myelin/storage/engine/reader'
import { readSqlite } from '@myelin/storage/engine/sqlite/reader'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import { DatabaseUnavailable } from '@myelin/storage/engine/unavailable'
import { ForeignDatabase } from '@myelin/storage/schema/migrations/owner'
import { DatabaseRefused } from '@myelin/storage/schema/migrations/pending'
import { ConfigError } from './config/fault.ts'
import type { Config } from './config/schema.ts'
import type { DatabaseSettings, PostgresConnection } from './config/sections/database.ts'

/** Opens the database that the configuration names. Throws a `ConfigError` with one sentence if that is impossible. */
async function openDatabase(
  settings: DatabaseSettings,
  events: DatabaseEvents,
  { keepsSchema = false, serverName }: { readonly keepsSchema?: boolean; readonly serverName?: string } = {},
): Promise<Database> {
  try {
    if (settings.engine === 'sqlite') return await openSqlite(settings.path, events, { serverName })
    const { connection, maxReaders } = settings
    return await openPostgres({ ...connection, maxReaders, keepsSchema, serverName }, events)
  } catch (cause) {
    throw refusalOf(settings, cause)
  }
}

/**
 * Opens the database that the configuration names for reading only; the server may be running.
 *
 * @throws ConfigError as `openDatabase`, and if a migration is missing: it is not applied.
 */
export async function openForReading(settings: DatabaseSettings): Promise<Reader> {
  if (settings.engine === 'postgres') {
    const db = await openDatabase(settings, { committed: () => {} }, { keepsSchema: true })
    return { read: db.read, close: () => db.close() }
  }
  try {
    return readSqlite(settings.path)
  } catch (cause) {
    throw refusalOf(settings, cause)
  }
}

/**
 * Opens the database of the server that the configuration names.
 *
 * @throws ConfigError also if the database belongs to a server of another name. Nothing is written then.
 */
export async function openOwnDatabase(config: Config, events: DatabaseEvents): Promise<Database> {
  const { serverName } = config
  try {
    const db = await openDatabase(config.database, events, { serverName })
    const owner = await claimServerName(db, serverName)
    if (owner === serverName) return db
    // Another node claimed the empty database at the same time.
    await db.close()
    throw new ForeignDatabase(owner)
  } catch (cause) {
    if (!(cause instanceof ForeignDatabase)) throw cause
    const { owner } = cause
    const message = `is ${serverName}, but the database belongs to ${owner}; set it to ${owner}, or name another database: the name of a server cannot be changed`
    throw new ConfigError([{ file: 'configuration', key: 'server_name', message }], { cause })
  }
}

function refusalOf(settings: DatabaseSettings, cause: unknown): unknown {
  if (cause instanceof ForeignDatabase) return cause
  const message = cause instanceof DatabaseRefused ? cause.message : unavailableIn(settings, cause)
  return message === undefined ? cause : new ConfigError([{ file: 'database', key: '', message }], { cause })
}

function unavailableIn(settings: DatabaseSettings, cause: unknown): string | undefined {
  if (!(cause instanceof DatabaseUnavailable)) return undefined
  const reason = cause.cause as { readonly code?: string; readonly message?: string }
  if (settings.engine === 'postgres') return postgresFault(settings.connection, reason)
  if (cause.outage === 'locked') return `${settings.path} is locked by another process; stop it first`
  return `${settings.path} cannot be opened for writing (${reason.message ?? 'unknown'}); check the permissions and the space of its folder`
}

interface Reason {
  readonly code?: string
  readonly message?: string
}

function postgresFault(connection: PostgresConnection, { code = '', message = code }: Reason): string {
  const { host, port, user, database } = partsOf(connection)
  const at = `PostgreSQL at ${host}:${port}`
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `cannot connect to ${at}: nothing listens there; start it, or correct host and port`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot connect to ${at}: the host name cannot be resolved; correct host`
    case '3D000':
      return `${at} has no database ${database}; create it: CREATE DATABASE "${database}" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0 OWNER "${user}"`
    case '28P01':
      return `${at} refuses the password of ${user}; correct user and password`
    case '28000':
      return `${at} refuses the user ${user} (${message}); create the role, or correct user`
    default:
      return `cannot use ${at}: ${message}`
  }
}

function partsOf({ connectionString, host, port, user, database }: PostgresConnection) {
  const url = connectionString === undefined ? undefined : new URL(connectionString)
  return {
    host: (url?.hostname || url?.searchParams.get('host')) ?? host ?? 'localhost',
    port: url?.port || (port ?? 5432),
    user: url?.username || (user ?? 'the user of this process'),
    database: url?.pathname.slice(1) || (database ?? 'of the name of the user'),
  }
}
