// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { Type } from 'typebox'
import { type Reading, section } from '../section.ts'

/** Where everything is kept: a file beside the server, or a database server. */
export type DatabaseSettings =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly connection: PostgresConnection; readonly maxReaders: number }

/** How to reach PostgreSQL, in the words of the `pg` package. */
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
  database: { type: 'string', description: `The file (sqlite3) or the database's name (psycopg2).` },
  dbname: { type: 'string', description: `Another word for the database's name.` },
  host: { type: 'string', description: `The database server, or the folder of its socket.` },
  port: { type: 'integer', minimum: 1, maximum: 65_535, description: `The database server's port.` },
  user: { type: 'string', description: `Who this server is to the database server.` },
  password: { type: 'string', description: `Its password.` },
  password_path: { type: 'string', description: `A file with the password. (Synapse has no such setting.)` },
  cp_min: { type: 'integer', minimum: 0, description: `Taken from Synapse and ignored: connections open when needed.` },
  cp_max: { type: 'integer', minimum: 1, description: `The most connections for reading.`, default: DEFAULT_READERS },
  connect_timeout: { type: 'integer', minimum: 0, description: `Seconds to wait for a connection.` },
  application_name: { type: 'string', description: `How the connections are called on the database server.` },
  sslmode: {
    type: 'string',
    enum: ['disable', 'require', 'verify-full'],
    description: `Whether to encrypt, and whether to check whom one speaks to.`,
  },
  sslrootcert: { type: 'string', description: `A file with the certificates to trust, in PEM.` },
}

const fields = {
  database: Type.Unsafe<string | Written>({
    type: ['string', 'object'],
    description: `Where everything is kept. Either Synapse's form, with a \`name\` (\`sqlite3\` or \`psycopg2\`) and
\`args\`, or in one word: the path of an SQLite file, or an address that starts with postgres://.`,
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
      name: { type: 'string', enum: ['sqlite3', 'psycopg2'], description: `The kind of database.` },
      args: { type: 'object', additionalProperties: false, properties: args, description: `How to reach it.` },
      txn_limit: { type: 'integer', description: `Taken from Synapse and ignored.` },
      allow_unsafe_locale: { type: 'boolean', description: `Taken from Synapse and ignored.` },
    },
  }),
}

/** Where everything is kept. */
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
