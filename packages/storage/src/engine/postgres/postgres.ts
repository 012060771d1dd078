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

/** How to reach the server: a URL, or the parts of one; and how many connections reads may use. */
export interface PostgresSettings extends ConnectionSettings {
  readonly maxReaders?: number
  /** Refuses a database of an earlier schema instead of migrating it. */
  readonly keepsSchema?: boolean
}

/**
 * Opens a database on a server, and migrates it unless `keepsSchema` is true.
 *
 * One connection per node writes; it holds the log's row from the start of each batch, so batches of all nodes
 * form one order and no lock is ever taken in a different order on two nodes.
 */
export async function openPostgres(settings: PostgresSettings, events: DatabaseEvents): Promise<Database> {
  const { maxReaders = 10, keepsSchema = false, ...connection } = settings
  // A fault that broke one connection may have broken all, and each would fail a request.
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
    await writer.prepareSchema(keepsSchema)
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
      hints.tell()
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

// So far back a node may have slept without losing what it keeps in memory.
const MOVES_KEPT = 100_000
const SWEPT_EVERY = 10_000
// The first wait before the outcome of a transaction is asked for again.
const OUTCOME_RETRY_MS = 50
// Statements are sent in groups of this size; the server runs a group while the next is built.
const MANY_STATEMENTS = 16
// The most statements that are sent in one turn of the event loop.
const MAX_AT_ONCE = 256
// The estimated cost of building and sending one.
const STATEMENT_COST_US = 20

interface WriterParts {
  readonly follower: PostgresFollower
  readonly node: PostgresNode
  readonly fellSilent: () => void
}

/** The connection that writes. What a unit only sends is not waited for until the unit ends. */
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
  readonly #outcomeMs: number
  /** The server's number of the transaction. */
  #transaction: number | undefined
  /** The statements of units that read nothing. */
  #waiting: Statement[] = []

  constructor(settings: ConnectionSettings, { follower, node: { opening }, fellSilent }: WriterParts) {
    this.#follower = follower
    this.#outcomeMs = (settings.answerMs ?? ANSWER_MS) / 2
    this.#client = new PostgresClient(settings, { connectsByItself: false, opening, fellSilent })
  }

  /** Asks for a sign of life where nothing is under way. */
  ask(): void {
    this.#client.ask()
  }

  /** Migrates the database, or refuses it if a migration is missing and the schema is to be kept. */
  async prepareSchema(keepsSchema: boolean): Promise<void> {
    await this.#client.connect()
    await (keepsSchema ? checkPostgresSchema(this.#client) : migratePostgres(this.#client))
  }

  /** In words, where the server does not keep what we promise others. */
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
    const text = 'begin; select position, txid_current() as transaction from log for update'
    const { rows } = await this.#client.query<{ position: Position; transaction: number }>({ text })
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
      // There is no savepoint where something before this unit was refused.
      throw isRefusal(broken) ? new BatchRefused(first) : broken
    }
    return first
  }
  put(statements: readonly Statement[]): void {
    for (const statement of statements) this.#waiting.push(statement)
    const count = this.#waiting.length
    // A great many are sent in several turns of the event loop, with the next savepoint or the commit.
    if (count >= MANY_STATEMENTS && count <= MAX_AT_ONCE) {
      for (const { sql, parameters } of this.#takeWaiting()) this.send(sql, parameters)
    }
  }

  /** Sends the statements of units that read nothing; a promise where they are more than fit into a turn. */
  #sendWaiting(): Promise<void> | undefined {
    return forEachInTurns(this.#takeWaiting(), STATEMENT_COST_US, ({ sql, parameters }) => this.send(sql, parameters))
  }

  #takeWaiting(): readonly Statement[] {
    if (this.#waiting.length === 0) return []
    // A later rollback to the savepoint must not undo these, or what was released before them.
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
    // With synchronous_commit the server answers once the commit is on disk.
    const committed = this.#client.query({ text: 'commit' }).then(
      () => undefined,
      (cause: unknown) => ({ cause }),
    )
    // Where a statement was refused, a commit takes everything back, and says nothing of it.
    await this.#lastSent
    const failed = await committed
    const refused: { readonly cause: unknown } | undefined = this.#refused
    if (failed && wasConnected) await this.#awaitOutcome(failed.cause)
    else if (failed) throw failed.cause
    else if (refused) throw isRefusal(refused.cause) ? new BatchRefused(refused.cause) : refused.cause
    this.#committed = move
    crashPoint('committed')
  }

  /**
   * Returns where the transaction is committed although its commit failed, because the connection was lost during it.
   * Otherwise throws the cause, also where that is not known in time.
   */
  async #awaitOutcome(cause: unknown): Promise<void> {
    if (!(cause instanceof DatabaseUnavailable)) throw cause
    const endMs = performance.now() + this.#outcomeMs
    for (let waitMs = OUTCOME_RETRY_MS; ; waitMs = Math.min(2 * waitMs, endMs - performance.now())) {
      const leftMs = endMs - performance.now()
      const outcome = leftMs > 0 ? await within(leftMs, this.#outcome()) : 'aborted'
      if (outcome === 'committed') return
      if (outcome === 'aborted') throw cause
      await new Promise<void>((resolve) => systemClock.later(Math.max(0, waitMs), resolve))
    }
  }

  /** Returns the state of the transaction; undefined where the server cannot be asked. */
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
      // Whether the batch was committed is read later, from its row; until then its units must not be answered.
      throw postgresFailure(cause, true)
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/** Returns what a promise resolves to; undefined where that takes longer. */
async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = systemClock.later(ms, () => resolve(undefined))
  return Promise.race([promise, late]).finally(() => timer.cancel())
}

/** Whether the server itself said no: then it has taken back what belongs together with the statement. */
const isRefusal = (cause: unknown) => cause instanceof pg.DatabaseError && cause.severity === 'ERROR'
