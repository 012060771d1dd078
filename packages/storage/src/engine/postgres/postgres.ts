// SPDX-License-Identifier: Apache-2.0
import { crashPoint } from '@myelin/kit/crash-point'
import { Kysely } from 'kysely'
import type { QueryResult } from 'kysely'
import pg from 'pg'
import { Caches } from '../caches.ts'
import type { CommitHint, Database, DatabaseEvents, Read } from '../database.ts'
import { mergeInserts } from '../merged-inserts.ts'
import { GroupCommit } from '../group-commit.ts'
import type { BatchChange, CommitEngine, Execute } from '../group-commit.ts'
import { postgresDialect, PostgresClient } from './client.ts'
import { unknownTopicPositions, KnownTopicPositions } from '../topic-positions.ts'
import { PostgresFollower, encodeTopics } from './follower.ts'
import type { Move } from './follower.ts'
import { PostgresHints } from './hints.ts'
import { durabilityNotices, READ_DURABILITY_SETTINGS } from './durability-settings.ts'
import type { DurabilitySettings } from './durability-settings.ts'
import { migratePostgres } from './migrate.ts'
import { postgresFailure } from './outage.ts'
import { PostgresNode } from './node.ts'
import { PostgresReaders } from './readers.ts'
import type { OpenReader } from '../reader.ts'
import type { Position, Tables } from '../../schema/schema.ts'
import { BatchRefused } from '../statement.ts'
import type { Statement } from '../statement.ts'

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
  const topicPositions = new KnownTopicPositions()
  const follower = new PostgresFollower(
    topicPositions,
    (after) => movesAfter(readers, after),
    events.committed.bind(events),
  )
  const node = new PostgresNode()
  const writer = new PostgresWriter(connection, follower, node)
  const reader = readOver(readers, { caches: writer.caches, topicPositions })
  try {
    await writer.migrate()
  } catch (cause) {
    await writer.close()
    throw cause
  }
  for (const notice of await writer.lapses()) events.warned?.(notice)
  const { rows: started } = await readers.query<{ position: Position }>({ text: 'select position from log' })
  topicPositions.reset(started[0]?.position ?? 0)
  const hints = new PostgresHints(connection, () => void follower.position().catch(() => {}))
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
  const readers = new PostgresReaders(settings as pg.ConnectionConfig, 2)
  const read = readOver(readers, { caches: new Caches(), topicPositions: unknownTopicPositions })
  return { read, close: () => readers.close() }
}

function readOver(readers: PostgresReaders, beside: Pick<Read, 'caches' | 'topicPositions'>): Read {
  const dialect = postgresDialect(({ sql, parameters }) => readers.query({ text: sql, values: parameters }))
  return Object.assign(new Kysely<Tables>({ dialect }), {
    ...beside,
    dialect: 'postgres',
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
// Statements are sent in groups of this size; the server runs a group while the next is built.
const MANY_STATEMENTS = 16

/** The connection that writes. What a unit only sends is not waited for until the unit ends. */
class PostgresWriter implements CommitEngine {
  readonly caches = new Caches()
  readonly dialect = 'postgres'
  readonly #client: PostgresClient
  /** The last statement that was sent without waiting. The server answers in order, so it settles after all others. */
  #lastSent: Promise<void> | undefined
  #refused: { readonly cause: unknown } | undefined
  readonly #follower: PostgresFollower
  #committed: BatchChange | undefined
  #owesRelease = false
  /** The statements of units that read nothing. */
  #waiting: Statement[] = []

  constructor(settings: pg.ConnectionConfig, follower: PostgresFollower, { opening }: PostgresNode) {
    this.#follower = follower
    this.#client = new PostgresClient(settings, { connectsByItself: false, opening })
  }

  async migrate(): Promise<void> {
    await this.#client.connect()
    await migratePostgres(this.#client)
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
    const text = 'begin; select position from log for update'
    return (await this.#client.query<{ position: Position }>({ text })).rows[0]?.position ?? 0
  }
  savepoint(): undefined {
    this.#sendWaiting()
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
    this.#waiting.push(...statements)
    if (this.#waiting.length >= MANY_STATEMENTS) this.#sendWaiting()
  }

  #sendWaiting(): void {
    if (this.#waiting.length === 0) return
    // A later rollback to the savepoint must not undo these, or what was released before them.
    if (this.#owesRelease) this.send('release savepoint unit', [], false)
    this.#owesRelease = false
    for (const { sql, parameters } of mergeInserts(this.#waiting)) this.send(sql, parameters)
    this.#waiting = []
  }
  async rollback(): Promise<void> {
    await this.#client.query({ text: 'rollback' })
  }
  async commit(move: BatchChange): Promise<void> {
    this.#committed = undefined
    this.#sendWaiting()
    const { start, position, topics } = move
    if (position > start) {
      this.send(
        'with taken as (update log set position = $1) insert into moves (position, start, topics) values ($1, $2, $3)',
        [position, start, encodeTopics(topics)],
      )
      const isDue = Math.floor(position / SWEPT_EVERY) > Math.floor(start / SWEPT_EVERY)
      if (isDue) this.send('delete from moves where position < $1', [position - MOVES_KEPT])
    }
    // With synchronous_commit the server answers once the commit is on disk.
    const committed = this.#client.query({ text: 'commit' })
    // Where a statement was refused, a commit takes everything back, and says nothing of it.
    await this.#lastSent
    await committed
    const refused: { readonly cause: unknown } | undefined = this.#refused
    if (refused) throw isRefusal(refused.cause) ? new BatchRefused(refused.cause) : refused.cause
    this.#committed = move
    crashPoint('committed')
  }
  async makeDurable(): Promise<void> {
    if (!this.#committed) return
    try {
      await this.#follower.follow(this.#committed)
    } catch (cause) {
      // What the batch changed is learned later, from its row; until then its units must not be answered.
      throw postgresFailure(cause, true)
    }
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/** Whether the server itself said no: then it has taken back what belongs together with the statement. */
const isRefusal = (cause: unknown) => cause instanceof pg.DatabaseError && cause.severity === 'ERROR'
