// SPDX-License-Identifier: Apache-2.0
import { Kysely } from 'kysely'
import type pg from 'pg'
import { Caches } from './caches.ts'
import type { CommitHint, Database, DatabaseEvents } from './database.ts'
import { GroupCommit } from './group-commit.ts'
import type { CommitEngine } from './group-commit.ts'
import { migrations } from './migrations/all.ts'
import { spelled } from './migrations/migration.ts'
import { dialectThat, PostgresClient } from './postgres-client.ts'
import { PostgresHints } from './postgres-hints.ts'
import { PostgresReaders } from './postgres-readers.ts'
import type { Position, Tables } from './schema.ts'

const spelling = { id: 'bigint', bytes: 'bytea', compact: '' }

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
  const readers = new PostgresReaders(connection, maxReaders)
  const writer = new PostgresWriter(connection)
  const reader = Object.assign(new Kysely<Tables>({ dialect: dialectThat((statement) => readers.query(statement)) }), {
    caches: writer.caches,
    dialect: writer.dialect,
    run: async <Row>(text: string, values: readonly unknown[]) =>
      (await readers.query<Row>({ text, values, isKept: true })).rows,
  })
  await writer.migrate()
  const hints = new PostgresHints(connection, events.committed.bind(events))
  await hints.listen()
  const commits = new GroupCommit(writer, {
    ...events,
    committed: (hint: CommitHint) => {
      events.committed(hint)
      hints.tell(hint)
    },
  })
  const text = 'select position from log'
  const position = async () =>
    (await readers.query<{ position: Position }>({ text, isKept: true })).rows[0]?.position ?? 0
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
      await Promise.all([hints.close(), writer.close(), readers.close()])
    },
  }
}

/** The connection that writes. What a unit only sends is not waited for until the unit ends. */
class PostgresWriter implements CommitEngine {
  readonly connection: Kysely<Tables>
  readonly caches = new Caches()
  readonly dialect = 'postgres'
  readonly #client: PostgresClient
  /** The last statement that was sent without waiting. The server answers in order, so it settles after all others. */
  #lastSent: Promise<void> | undefined
  #refused: { readonly cause: unknown } | undefined

  constructor(settings: pg.ConnectionConfig) {
    this.#client = new PostgresClient(settings, { connectsByItself: false })
    this.connection = new Kysely<Tables>({ dialect: dialectThat((statement) => this.#client.query(statement)) })
  }

  async migrate(): Promise<void> {
    await this.#client.connect()
    await this.#client.query({ text: 'begin' })
    await this.#client.query({ text: 'select pg_advisory_xact_lock(7305)' })
    await this.#client.query({ text: 'create table if not exists schema_version (version bigint not null)' })
    const text = 'select max(version) as version from schema_version'
    const { rows } = await this.#client.query<{ version: number | null }>({ text })
    const done = Number(rows[0]?.version ?? 0)
    const newest = migrations.at(-1)?.id ?? 0
    if (done > newest)
      throw new Error(`the database was written by a newer version (schema ${done}, this program knows ${newest})`)
    for (const migration of migrations.filter(({ id }) => id > done)) {
      for (const statement of migration.statements) await this.#client.query({ text: spelled(statement, spelling) })
      await this.#client.query({ text: 'insert into schema_version values ($1)', values: [migration.id] })
    }
    await this.#client.query({ text: 'commit' })
  }

  async run<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#client.query<Row>({ text, values, isKept: true })).rows
  }

  send(text: string, values: readonly unknown[], isKept = true): void {
    this.#lastSent = this.#client.query({ text, values, isKept }).then(
      () => {},
      (cause: unknown) => void (this.#refused ??= { cause }),
    )
  }

  async begin(): Promise<Position> {
    this.#refused = undefined
    await this.#client.connect()
    const text = 'begin; select position from log for update'
    return (await this.#client.query<{ position: Position }>({ text })).rows[0]?.position ?? 0
  }
  savepoint(): void {
    this.send('savepoint unit', [], false)
  }
  async release(): Promise<void> {
    await this.#lastSent
    if (this.#refused) throw this.#refused.cause
    this.send('release savepoint unit', [], false)
  }
  async rollbackTo(cause: unknown): Promise<unknown> {
    await this.#lastSent
    const first = this.#refused ? this.#refused.cause : cause
    this.#refused = undefined
    await this.#client.query({ text: 'rollback to savepoint unit; release savepoint unit' })
    return first
  }
  async rollback(): Promise<void> {
    await this.#client.query({ text: 'rollback' })
  }
  async commit(position: Position): Promise<void> {
    this.send('update log set position = $1', [position])
    // With synchronous_commit the server answers once the commit is on disk.
    const committed = this.#client.query({ text: 'commit' })
    // Where a statement was refused, a commit takes everything back, and says nothing of it.
    await this.#lastSent
    await committed
    if (this.#refused) throw this.#refused.cause
  }
  async makeDurable(): Promise<void> {}

  async close(): Promise<void> {
    await this.#client.close()
  }
}
