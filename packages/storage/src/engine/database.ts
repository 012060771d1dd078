// SPDX-License-Identifier: Apache-2.0
import type { CacheFigures } from '@myelin/kit/metrics'
import type { Kysely } from 'kysely'
import type { Caches } from './caches.ts'
import type { TopicPositions } from './topic-positions.ts'
import type { OtherNodes } from './other-nodes.ts'
import type { ReaderSource } from './reader-source.ts'
import type { Statement } from './statement.ts'
import type { SearchIndex } from './search-index.ts'
import type { KnownRows } from './known-rows.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'

/** A source of queries: the last synced commit, or an open transaction. It cannot write. */
export interface Read extends Pick<Kysely<Tables>, 'selectFrom' | 'with' | 'withRecursive'> {
  readonly caches: Caches
  /** The positions at which topics were last touched. */
  readonly topicPositions: TopicPositions
  /** Names the SQL dialect; a compiled query goes by it. */
  readonly dialect: string
  /** The index of words, which each engine keeps in its own way. */
  readonly search: SearchIndex
  /** Runs a compiled query. Only `prepared.ts` calls it. */
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
}

/** An open write transaction. It also reads, and sees its own writes. */
export interface Tx extends Read, Pick<Kysely<Tables>, 'insertInto' | 'updateTable' | 'deleteFrom'> {
  /**
   * Sends a compiled statement without waiting for its result. Later statements see its effect; a failure fails the
   * write transaction. Returns a promise where the event loop should have its turn before more is sent. Only `prepared.ts`
   * calls it.
   */
  send(statement: Statement): Promise<void> | undefined
  /**
   * The next position of the log.
   *
   * The log's row is held from before the batch's first unit until its commit, so positions become visible in
   * order: a reader that has seen N will never again find something new at or below N.
   */
  takePosition(): Position
  /** A number for something that gets interned; drawn from the log. */
  takeNid(): Nid
  /** Touches a topic (a room id, a user id): waiters are woken and cache entries expire once the commit is synced. */
  touch(topic: string): void
  /** Rows and keys that are known without a query. */
  readonly known: KnownRows
  /** Runs once the commit is synced, before the transaction is answered; never if it fails. Caches are filled here. */
  onCommit(task: () => void): void
}

/** The topics that a commit touched: a hint, never content. */
export interface CommitHint {
  readonly position: Position
  readonly topics: ReadonlySet<string>
}

/** A database of either engine. */
export interface Database {
  /** Reads the last synced commit. */
  readonly read: Read
  /** Names this opening of the database among the nodes that share it: what a lease is held by. */
  readonly node: number
  readonly others: OtherNodes
  /** The arguments with which another thread opens a reader. */
  readonly source: ReaderSource
  /**
   * Runs `work` as one write transaction: all of it is synced when the promise resolves, and nothing is stored when it
   * rejects. `work` must not do network I/O, and may run more than once.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** The last position that reads can see, on whichever node it was taken; all that moved up to it is known to `read.topicPositions`. */
  position(): Promise<Position>
  /** Looks for what other nodes did, in case a hint got lost, and whether one died that held a lease. Called once a second. */
  catchUp(): Promise<void>
  /** The sizes of its caches by name, for the metrics. */
  cacheFigures(): Iterable<readonly [name: string, figures: CacheFigures]>
  /**
   * Returns in words why the database cannot be read or written at the moment; undefined where it can. After a write that
   * failed it is written to, and otherwise only read.
   */
  outage(): Promise<string | undefined>
  close(): Promise<void>
}

/** Callbacks of a database: hints after each commit, sizes for metrics, warnings, and the failure after which it is unusable. */
export interface DatabaseEvents {
  committed(hint: CommitHint): void
  measured?(commit: { readonly units: number; readonly durationMs: number }): void
  failed?(cause: unknown): void
  /** Reports a warning for the operator, while the database is opened. */
  warned?(notice: string): void
}

/** Runs a query over a long list of values in chunks, because engines limit the number of parameters. */
export async function inChunks<Value, Row>(
  values: readonly Value[],
  query: (chunk: readonly Value[]) => Promise<readonly Row[]>,
  chunkSize = 500,
): Promise<Row[]> {
  const rows: Row[] = []
  for (let start = 0; start < values.length; start += chunkSize) {
    rows.push(...(await query(values.slice(start, start + chunkSize))))
  }
  return rows
}
