// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { Type } from 'typebox'
import { type Reading, section } from '../values/section.ts'

/** The database: a SQLite file, or a PostgreSQL server. */
export type DatabaseSettings =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly connection: PostgresConnection; readonly maxReaders: number }

/** Connection options of PostgreSQL, named as in the `pg` package. */
export interface PostgresConnection {
  readonly connectionString?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  readonly database?: string
  readonly ssl?: false | { readonly rejectUnauthorized: boolean; readonly ca?: string }
  readonly connectionTimeoutMillis?: number
  readonly application_name?: string
}

interface PostgresArgs {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  readonly password_path?: string
  readonly dbname?: string
  readonly database?: string
  readonly cp_min?: number
  readonly cp_max?: number
  readonly connect_timeout?: number
  readonly application_name?: string
  readonly sslmode?: 'disable' | 'require' | 'verify-full'
  readonly sslrootcert?: string
}

interface Written {
  readonly name: 'sqlite3' | 'psycopg2'
  readonly args?: PostgresArgs
}

const DEFAULT_READERS = 10

const args = {
  database: { type: 'string', description: `The path of the file (sqlite3) or the name of the database (psycopg2).` },
  dbname: { type: 'string', description: `An alias of \`database\` (psycopg2).` },
  host: { type: 'string', description: `The host of PostgreSQL, or the folder of its socket.` },
  port: { type: 'integer', minimum: 1, maximum: 65_535, description: `The port of PostgreSQL.` },
  user: { type: 'string', description: `The user name for PostgreSQL.` },
  password: { type: 'string', description: `The password of that user.` },
  password_path: { type: 'string', description: `A file that contains the password. (Synapse has no such setting.)` },
  cp_min: {
    type: 'integer',
    minimum: 0,
    description: `Accepted for compatibility and ignored: connections are opened on demand.`,
  },
  cp_max: {
    type: 'integer',
    minimum: 1,
    description: `The maximum number of connections for reading.`,
    default: DEFAULT_READERS,
  },
  connect_timeout: { type: 'integer', minimum: 0, description: `The timeout for opening a connection, in seconds.` },
  application_name: { type: 'string', description: `The application name of the connections.` },
  sslmode: {
    type: 'string',
    enum: ['disable', 'require', 'verify-full'],
    description: `Whether connections use TLS, and whether the certificate of PostgreSQL is verified.`,
  },
  sslrootcert: { type: 'string', description: `A PEM file with the certificate authorities to trust.` },
}

const fields = {
  database: Type.Unsafe<string | Written>({
    type: ['string', 'object'],
    description: `The database. Either Synapse's notation, with a \`name\` (\`sqlite3\` or \`psycopg2\`) and \`args\`, or a text:
the path of a SQLite file, or a URL that starts with postgres://.`,
    default: 'homeserver.db',
    examples: [
      { name: 'sqlite3', args: { database: '/var/lib/myelin/homeserver.db' } },
      {
        name: 'psycopg2',
        args: { host: 'localhost', user: 'myelin', password: 'secret', database: 'myelin', cp_max: 10 },
      },
      'postgres://myelin:secret@localhost/myelin',
    ],
    minLength: 1,
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { type: 'string', enum: ['sqlite3', 'psycopg2'], description: `The database engine.` },
      args: { type: 'object', additionalProperties: false, properties: args, description: `The connection options.` },
      txn_limit: { type: 'integer', description: `Accepted for compatibility and ignored.` },
      allow_unsafe_locale: { type: 'boolean', description: `Accepted for compatibility and ignored.` },
    },
  }),
}

/** Settings of the database. */
export const database = section({
  title: 'Database',
  fields,
  read({ database: written }, reading): DatabaseSettings | undefined {
    if (typeof written === 'string') return fromOneWord(written, reading)
    const given = written.args ?? {}
    return written.name === 'sqlite3' ? sqliteOf(given, reading) : postgresOf(given, reading)
  },
})

function fromOneWord(word: string, reading: Reading): DatabaseSettings | undefined {
  if (!/^postgres(ql)?:/.test(word)) return fileAt('database', word, reading)
  if (!URL.canParse(word)) {
    reading.fault('database', 'must be an address like postgres://user:password@host/name, or a path')
    return undefined
  }
  return { engine: 'postgres', connection: { connectionString: word }, maxReaders: DEFAULT_READERS }
}

function sqliteOf(given: PostgresArgs, reading: Reading): DatabaseSettings | undefined {
  const strays = Object.keys(given).filter((key) => key !== 'database' && !key.startsWith('cp_'))
  for (const key of strays) reading.fault(`database.args.${key}`, 'means nothing to sqlite3')
  if (given.database) return fileAt('database.args.database', given.database, reading)
  reading.fault('database.args.database', 'must be the path of the file')
  return undefined
}

function fileAt(key: string, file: string, reading: Reading): DatabaseSettings | undefined {
  if (file !== ':memory:') return { engine: 'sqlite', path: resolve(file) }
  reading.fault(key, 'must be a file; a database in memory would forget what it promised to keep')
  return undefined
}

function postgresOf(given: PostgresArgs, reading: Reading): DatabaseSettings | undefined {
  const name = given.dbname ?? given.database
  if (!name) reading.fault('database.args.database', "must be the database's name")
  if (given.password !== undefined && given.password_path !== undefined) {
    reading.fault('database.args.password_path', 'cannot stand beside password; leave one of the two out')
  }
  const password = given.password_path
    ? reading.fileText('database.args.password_path', given.password_path)
    : given.password
  const connection: PostgresConnection = {
    ...(given.host !== undefined && { host: given.host }),
    ...(given.port !== undefined && { port: given.port }),
    ...(given.user !== undefined && { user: given.user }),
    ...(password !== undefined && { password }),
    ...(name !== undefined && { database: name }),
    ...(given.connect_timeout !== undefined && { connectionTimeoutMillis: given.connect_timeout * 1000 }),
    ...(given.application_name !== undefined && { application_name: given.application_name }),
    ...tlsOf(given, reading),
  }
  return { engine: 'postgres', connection, maxReaders: given.cp_max ?? DEFAULT_READERS }
}

function tlsOf({ sslmode, sslrootcert }: PostgresArgs, reading: Reading): Pick<PostgresConnection, 'ssl'> {
  if (sslmode === undefined) return {}
  if (sslmode === 'disable') return { ssl: false }
  const ca = sslrootcert === undefined ? undefined : reading.fileText('database.args.sslrootcert', sslrootcert)
  return { ssl: { rejectUnauthorized: sslmode !== 'require', ...(ca !== undefined && { ca }) } }
}
