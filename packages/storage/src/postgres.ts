// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import {
  CompiledQuery,
  Kysely,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import type { DatabaseConnection, Driver, QueryResult } from 'kysely'
import pg from 'pg'
import { Caches } from './caches.ts'
import type { CommitHint, Database, DatabaseEvents } from './database.ts'
import { GroupCommit } from './group-commit.ts'
import type { CommitEngine } from './group-commit.ts'
import { migrations } from './migrations/all.ts'
import { spelled } from './migrations/migration.ts'
import { PostgresHints } from './postgres-hints.ts'
import type { Position, Tables } from './schema.ts'

const spelling = { id: 'bigint', bytes: 'bytea', compact: '' }
const INT8 = 20
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : (pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown),
}

/** How to reach the server: a URL, or the parts of one; and how many connections reads may use. */
export interface PostgresSettings extends pg.ConnectionConfig {
  readonly maxReaders?: number
}

/**
 * Opens (and migrates) a database on a server.
 *
 * One connection per node writes; it holds the log's row from the start of each batch, so batches of all nodes
 * form one order and no lock is ever taken in a different order on two nodes.
 */
export async function openPostgres(settings: PostgresSettings, events: DatabaseEvents): Promise<Database> {
  const { maxReaders = 10, ...connection } = settings
  const pool = new pg.Pool({ ...connection, types, max: maxReaders })
  pool.on('error', () => {})
  const writer = new PostgresWriter({ ...connection, types })
  const pooled = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const reader = Object.assign(pooled, {
    caches: writer.caches,
    dialect: writer.dialect,
    run: async <Row>(sql: string, parameters: readonly unknown[]) =>
      (await pool.query({ name: statementName(sql), text: sql, values: [...parameters] })).rows as Row[],
  })
  await writer.migrate()
  const hints = new PostgresHints({ ...connection, types }, events.committed.bind(events))
  await hints.listen()
  const commits = new GroupCommit(writer, {
    ...events,
    committed: (hint: CommitHint) => {
      events.committed(hint)
      hints.tell(hint)
    },
  })
  const position = async () => (await reader.selectFrom('log').select('position').executeTakeFirstOrThrow()).position
  return {
    read: reader,
    write: (work) => commits.write(work),
    position,
    isHealthy: () =>
      position().then(
        () => true,
        () => false,
      ),
    close: async () => {
      await commits.settle()
      await Promise.all([hints.close(), writer.close(), reader.destroy()])
    },
  }
}

/** The server plans a statement once per connection if it has a name; names are short, texts are not. */
function statementName(sql: string): string {
  return hash('sha256', sql, 'base64url').slice(0, 24)
}

class PostgresWriter implements CommitEngine {
  readonly connection: Kysely<Tables>
  readonly caches = new Caches()
  readonly dialect = 'postgres'
  readonly #settings: pg.ConnectionConfig
  #client: pg.Client | undefined

  constructor(settings: pg.ConnectionConfig) {
    this.#settings = settings
    this.connection = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new WriterDriver((text, values) => this.#query(text, values)),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    })
  }

  async migrate(): Promise<void> {
    await this.#query('begin')
    await this.#query('select pg_advisory_xact_lock(7305)')
    await this.#query('create table if not exists schema_version (version bigint not null)')
    const { rows } = await this.#query('select max(version) as version from schema_version')
    const done = Number((rows[0] as { version: number | null }).version ?? 0)
    const newest = migrations.at(-1)?.id ?? 0
    if (done > newest)
      throw new Error(`the database was written by a newer version (schema ${done}, this program knows ${newest})`)
    for (const migration of migrations.filter(({ id }) => id > done)) {
      for (const statement of migration.statements) await this.#query(spelled(statement, spelling))
      await this.#query('insert into schema_version values ($1)', [migration.id])
    }
    await this.#query('commit')
  }

  async run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    const client = (this.#client ??= await this.#connect())
    const { rows } = await client.query({ name: statementName(sql), text: sql, values: [...parameters] })
    return rows as Row[]
  }

  async begin(): Promise<Position> {
    await this.#query('begin')
    const { rows } = await this.#query('select position from log for update')
    return (rows[0] as { position: number }).position
  }
  async savepoint(): Promise<void> {
    await this.#query('savepoint unit')
  }
  async release(): Promise<void> {
    await this.#query('release savepoint unit')
  }
  async rollbackTo(): Promise<void> {
    await this.#query('rollback to savepoint unit; release savepoint unit')
  }
  async rollback(): Promise<void> {
    await this.#query('rollback')
  }
  async commit(position: Position): Promise<void> {
    await this.#query('update log set position = $1', [position])
    // With synchronous_commit the server answers once the commit is on disk.
    await this.#query('commit')
  }
  async makeDurable(): Promise<void> {}

  async #query(text: string, values?: readonly unknown[]): Promise<pg.QueryResult> {
    const client = (this.#client ??= await this.#connect())
    return client.query(text, values as unknown[])
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#settings)
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    await client.connect()
    await client.query('set synchronous_commit = on')
    return client
  }

  async close(): Promise<void> {
    await this.#client?.end()
  }
}

type Send = (text: string, values: readonly unknown[]) => Promise<pg.QueryResult>

class WriterDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(send: Send) {
    this.#connection = {
      async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
        const result = await send(sql, parameters)
        return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) }
      },
      streamQuery: () => {
        throw new Error('the writer does not stream')
      },
    }
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
  async beginTransaction(): Promise<void> {
    throw new Error('transactions are opened by group commit only')
  }
  async commitTransaction(): Promise<void> {}
  async rollbackTransaction(): Promise<void> {}
  async releaseConnection(): Promise<void> {}
  async destroy(): Promise<void> {}
}
