// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@myelin/kit/clock'
import { crashPoint } from '@myelin/kit/crash-point'
import { forEachInTurns } from '@myelin/kit/turn'
import { Kysely } from 'kysely'
import type { QueryResult } from 'kysely'
import pg from 'pg'
import { Caches } from '../caches.ts'
import type { CommitHint, Database, DatabaseEvents, Read } from '../database.ts'
import { mergeInserts } from '../merged-inserts.ts'
import { GroupCommit } from '../group-commit.ts'
import type { BatchChange, CommitEngine, Execute } from '../group-commit.ts'
import { ANSWER_MS, postgresDialect, PostgresClient } from './client.ts'
import type { ConnectionSettings } from './client.ts'
import { unknownTopicPositions, KnownTopicPositions } from '../topic-positions.ts'
import { PostgresFollower, encodeTopics } from './follower.ts'
import type { Move } from './follower.ts'
import { PostgresHints } from './hints.ts'
import { durabilityNotices, READ_DURABILITY_SETTINGS } from './durability-settings.ts'
import type { DurabilitySettings } from './durability-settings.ts'
import { checkPostgresSchema, migratePostgres } from './migrate.ts'
import { postgresFailure } from './outage.ts'
import { postgresSearch } from './search.ts'
import { PostgresNode } from './node.ts'
import { PostgresReaders } from './readers.ts'
import type { OpenReader } from '../reader.ts'
import type { Position, Tables } from '../../schema/schema.ts'
import { BatchRefused } from '../statement.ts'
import type { Statement } from '../statement.ts'
import { DatabaseUnavailable } from '../unavailable.ts'

/** The address of the server, as a URL or in parts, and the number of connections for reads. */
export interface PostgresSettings extends ConnectionSettings {
  readonly maxReaders?: number
  /** Refuses a database of an earlier schema instead of migrating it. */
  readonly keepsSchema?: boolean
  /** Refuses a database of another server, before it is migrated. */
  readonly serverName?: string | undefined
}

/**
 * Opens a database on a server, and migrates it unless `keepsSchema` is true.
 *
 * One connection per node writes. It locks the log's row from the start of each batch, so the batches of all nodes are in
 * one order, and nodes never take locks in different orders.
 */
export async function openPostgres(settings: PostgresSettings, events: DatabaseEvents): Promise<Database> {
  const { maxReaders = 10, keepsSchema = false, serverName, ...connection } = settings
  // A fault of one connection may have broken all; each broken one would fail a request.
  const askAll = () => [readers, writer, hints].forEach((each) => each.ask())
  const readers: PostgresReaders = new PostgresReaders(connection, maxReaders, askAll)
  const topicPositions = new KnownTopicPositions()
  const follower = new PostgresFollower(
    topicPositions,
    (after) => movesAfter(readers, after),
    events.committed.bind(events),
  )
  const node = new PostgresNode()
  const writer: PostgresWriter = new PostgresWriter(connection, { follower, node, fellSilent: askAll })
  const reader = readOver(readers, { caches: writer.caches, topicPositions })
  const hints: PostgresHints = new PostgresHints(connection, () => void follower.position().catch(() => {}))
  try {
    await writer.prepareSchema(keepsSchema, serverName)
  } catch (cause) {
    await writer.close()
    throw cause
  }
  for (const notice of await writer.lapses()) events.warned?.(notice)
  const { rows: started } = await readers.query<{ position: Position }>({ text: 'select position from log' })
  topicPositions.reset(started[0]?.position ?? 0)
  await hints.listen()
  const commits = new GroupCommit(writer, {
    ...events,
    committed: (hint: CommitHint) => {
      events.committed(hint)
      hints.announce()
    },
  })
  return {
    read: reader,
    node: node.number,
    others: hints.others,
    source: { module: import.meta.url, settings: connection },
    write: (work) => commits.write(work),
    position: () => follower.position(),
    catchUp: async () => {
      await hints.listen()
      hints.ask()
      await follower.position()
      await node.freeDeadLeases(readers, (work) => commits.write(work))
    },
    cacheFigures: () => [...writer.caches.figures(), ['topicPositions', topicPositions]],
    outage: () => commits.outage(() => readers.query({ text: 'select 1' })),
    close: async () => {
      await commits.settle()
      await Promise.all([hints.close(), writer.close(), readers.close()])
    },
  }
}

/**
 * Opens a reader for another thread, with at most two connections of its own.
 *
 * @public `engine/reader.ts` imports this module by name
 */
export const openReader: OpenReader = (settings) => {
  const readers = new PostgresReaders(settings as ConnectionSettings, 2)
  const read = readOver(readers, { caches: new Caches(), topicPositions: unknownTopicPositions })
  return { read, close: () => readers.close() }
}

function readOver(readers: PostgresReaders, beside: Pick<Read, 'caches' | 'topicPositions'>): Read {
  const dialect = postgresDialect(({ sql, parameters }) => readers.query({ text: sql, values: parameters }))
  return Object.assign(new Kysely<Tables>({ dialect }), {
    ...beside,
    dialect: 'postgres',
    search: postgresSearch,
    run: async <Row>(text: string, values: readonly unknown[]) =>
      (await readers.query<Row>({ text, values, isKept: true })).rows,
  })
}

async function movesAfter(readers: PostgresReaders, after: Position): Promise<Move[]> {
  const text = 'select position, start, topics from moves where position > $1 order by position'
  const { rows } = await readers.query<Tables['moves']>({ text, values: [after], isKept: true })
  return rows.map(({ topics, ...row }) => ({ ...row, topics: JSON.parse(topics) as string[] }))
}

// A node that missed more commits drops its caches.
const MOVES_KEPT = 100_000
const SWEPT_EVERY = 10_000
// The first delay before the outcome of a transaction is queried again.
const OUTCOME_RETRY_MS = 50
// The part of the time for an answer that a commit may take; in the rest its outcome is asked for.
const COMMIT_SHARE = 0.75
// Statements are sent in groups of this size; the server runs a group while the next is built.
const MANY_STATEMENTS = 16
// The most statements that are sent in one turn of the event loop.
const MAX_AT_ONCE = 256
// The estimated cost of building and sending a statement.
const STATEMENT_COST_US = 20

interface WriterParts {
  readonly follower: PostgresFollower
  readonly node: PostgresNode
  readonly fellSilent: () => void
}

/** The writing connection. Sent statements are awaited at the end of their unit. */
class PostgresWriter implements CommitEngine {
  readonly caches = new Caches()
  readonly dialect = 'postgres'
  readonly search = postgresSearch
  readonly #client: PostgresClient
  /** The last statement that was sent without waiting. The server answers in order, so it settles after all others. */
  #lastSent: Promise<void> | undefined
  #refused: { readonly cause: unknown } | undefined
  readonly #follower: PostgresFollower
  #committed: BatchChange | undefined
  #owesRelease = false
  readonly #answerMs: number
  /** The transaction ID of the server. */
  #transaction: number | undefined
  /** The statements of write-only units. */
  #waiting: Statement[] = []

  constructor(settings: ConnectionSettings, { follower, node: { opening }, fellSilent }: WriterParts) {
    this.#follower = follower
    this.#answerMs = settings.answerMs ?? ANSWER_MS
    this.#client = new PostgresClient(settings, { connectsByItself: false, opening, fellSilent })
  }

  /** Sends a query over the idle connection. */
  ask(): void {
    this.#client.ask()
  }

  /** Migrates the database, or refuses it if a migration is missing and the schema is to be kept. */
  async prepareSchema(keepsSchema: boolean, serverName: string | undefined): Promise<void> {
    await this.#client.connect()
    await (keepsSchema ? checkPostgresSchema(this.#client) : migratePostgres(this.#client, { serverName }))
  }

  /** Returns warnings about settings that endanger committed data. */
  async lapses(): Promise<string[]> {
    return durabilityNotices((await this.#client.query<DurabilitySettings>({ text: READ_DURABILITY_SETTINGS })).rows[0])
  }

  builder(execute: Execute): Kysely<Tables> {
    return new Kysely<Tables>({ dialect: postgresDialect(execute) })
  }
  execute<Row>(text: string, values: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#client.query<Row>({ text, values })
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
    this.#owesRelease = false
    this.#waiting = []
    await this.#client.connect()
    const text = `begin; set local lock_timeout = ${this.#answerMs}; select position, txid_current() as transaction from log for update`
    const begun = this.#client.query<{ position: Position; transaction: number }>({ text })
    const { rows } = await begun.catch(async (cause: unknown) => {
      // A transaction whose first statement was refused is still open.
      await this.rollback().catch(() => {})
      throw cause
    })
    this.#transaction = rows[0]?.transaction
    return rows[0]?.position ?? 0
  }
  savepoint(): Promise<void> | undefined {
    const sending = this.#sendWaiting()
    return sending ? sending.then(() => this.#sendSavepoint()) : this.#sendSavepoint()
  }
  #sendSavepoint(): undefined {
    this.send(this.#owesRelease ? 'release savepoint unit; savepoint unit' : 'savepoint unit', [], false)
    this.#owesRelease = false
  }
  async release(): Promise<void> {
    await this.#lastSent
    if (this.#refused) throw this.#refused.cause
    // The next savepoint releases this one, or the commit does.
    this.#owesRelease = true
  }
  async rollbackTo(cause: unknown): Promise<unknown> {
    await this.#lastSent
    const first = this.#refused ? this.#refused.cause : cause
    this.#refused = undefined
    try {
      await this.#client.query({ text: 'rollback to savepoint unit; release savepoint unit' })
    } catch (broken) {
      // There is no savepoint if an earlier statement failed.
      throw isRefusal(broken) ? new BatchRefused(first) : broken
    }
    return first
  }
  put(statements: readonly Statement[]): void {
    for (const statement of statements) this.#waiting.push(statement)
    const count = this.#waiting.length
    // More statements are sent in several turns of the event loop, with the next savepoint or the commit.
    if (count >= MANY_STATEMENTS && count <= MAX_AT_ONCE) {
      for (const { sql, parameters } of this.#takeWaiting()) this.send(sql, parameters)
    }
  }

  /** Sends the statements of write-only units. Returns a promise if they do not fit into one turn of the event loop. */
  #sendWaiting(): Promise<void> | undefined {
    return forEachInTurns(this.#takeWaiting(), STATEMENT_COST_US, ({ sql, parameters }) => this.send(sql, parameters))
  }

  #takeWaiting(): readonly Statement[] {
    if (this.#waiting.length === 0) return []
    // A later rollback to the savepoint must not undo these statements or those of earlier units.
    if (this.#owesRelease) this.send('release savepoint unit', [], false)
    this.#owesRelease = false
    const statements = mergeInserts(this.#waiting)
    this.#waiting = []
    return statements
  }
  async rollback(): Promise<void> {
    await this.#client.query({ text: 'rollback' })
  }
  async commit(move: BatchChange): Promise<void> {
    this.#committed = undefined
    await this.#sendWaiting()
    const { start, position, topics } = move
    if (position > start) {
      this.send(
        'with taken as (update log set position = $1) insert into moves (position, start, topics) values ($1, $2, $3)',
        [position, start, encodeTopics(topics)],
      )
      const isDue = Math.floor(position / SWEPT_EVERY) > Math.floor(start / SWEPT_EVERY)
      if (isDue) this.send('delete from moves where position < $1', [position - MOVES_KEPT])
    }
    const wasConnected = this.#client.isConnected
    const endMs = performance.now() + this.#answerMs
    // With synchronous_commit the server answers once the commit is on disk.
    const committed = this.#client.query({ text: 'commit' }).then(
      () => undefined,
      (cause: unknown) => ({ cause }),
    )
    // After a failed statement, `commit` rolls back without an error.
    await this.#lastSent
    // Also a server that says that it is at work may not end: its disk hangs, or a standby does not answer.
    const late = systemClock.later(this.#answerMs * COMMIT_SHARE, () => this.#client.drop())
    const failed = await committed
    late.cancel()
    const refused: { readonly cause: unknown } | undefined = this.#refused
    if (failed && wasConnected) await this.#awaitOutcome(failed.cause, endMs)
    else if (failed) throw failed.cause
    else if (refused) throw isRefusal(refused.cause) ? new BatchRefused(refused.cause) : refused.cause
    this.#committed = move
    crashPoint('committed')
  }

  /**
   * Resolves if the transaction was committed although the connection was lost during its commit. Throws the cause if it was
   * not committed, or if the outcome is not known at `endMs`.
   */
  async #awaitOutcome(cause: unknown, endMs: number): Promise<void> {
    if (!(cause instanceof DatabaseUnavailable)) throw cause
    for (let waitMs = OUTCOME_RETRY_MS; ; waitMs = Math.min(2 * waitMs, endMs - performance.now())) {
      const leftMs = endMs - performance.now()
      const outcome = leftMs > 0 ? await within(leftMs, this.#outcome()) : 'aborted'
      if (outcome === 'committed') return
      if (outcome === 'aborted') throw cause
      await new Promise<void>((resolve) => systemClock.later(Math.max(0, waitMs), resolve))
    }
  }

  /** Returns the status of the transaction; undefined if the server does not answer. */
  async #outcome(): Promise<string | undefined> {
    try {
      await this.#client.connect()
      const { rows } = await this.#client.query<{ status: string }>({
        text: 'select txid_status($1::bigint) as status',
        values: [this.#transaction],
      })
      return rows[0]?.status
    } catch {
      return undefined
    }
  }

  async makeDurable(): Promise<void> {
    if (!this.#committed) return
    try {
      await this.#follower.follow(this.#committed)
    } catch (cause) {
      // The outcome of the batch is read later, from its row; until then its units must not be answered.
      throw postgresFailure(cause, true)
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/** Returns the value of a promise; undefined after a timeout. */
async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = systemClock.later(ms, () => resolve(undefined))
  return Promise.race([promise, late]).finally(() => timer.cancel())
}

/** Returns whether the server reported an error; it has then rolled back the transaction or savepoint. */
const isRefusal = (cause: unknown) => cause instanceof pg.DatabaseError && cause.severity === 'ERROR'
