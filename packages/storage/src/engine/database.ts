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
  /** The name of the SQL dialect, by which compiled queries are kept. */
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
   * write transaction. Returns a promise if the event loop should have a turn before more is sent. Only `prepared.ts` calls
   * it.
   */
  send(statement: Statement): Promise<void> | undefined
  /**
   * Takes the next position of the log.
   *
   * The log's row is held from before the batch's first unit until its commit, so positions become visible in
   * order: a reader that has seen N never finds anything new at or below N.
   */
  takePosition(): Position
  /** Takes the next number (`nid`) for a row, from the same counter as positions. */
  takeNid(): Nid
  /** Touches a topic, for example a room ID. Once the commit is synced, waiters wake and cache entries expire. */
  touch(topic: string): void
  /** Rows and keys that are known without a query. */
  readonly known: KnownRows
  /** Runs a task after the sync and before `write` resolves, never if the transaction fails. Caches are filled here. */
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
  /** The number of this node among the nodes that share the database; leases are held by it. */
  readonly node: number
  readonly others: OtherNodes
  /** The arguments with which another thread opens a reader. */
  readonly source: ReaderSource
  /**
   * Runs `work` as one write transaction: all of it is synced when the promise resolves, and nothing is stored when it
   * rejects. `work` must not do network I/O, and may run more than once.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * Returns the last position that reads can see, taken by any node. `read.topicPositions` knows all changes up to it.
   */
  position(): Promise<Position>
  /** Reads the commits of other nodes, in case a hint got lost, and frees the leases of dead nodes. Called once a second. */
  catchUp(): Promise<void>
  /** Returns the figures of all caches by name, for the metrics. */
  cacheFigures(): Iterable<readonly [name: string, figures: CacheFigures]>
  /**
   * Returns the reason, in words, why the database cannot be read or written at the moment; undefined if it can. Writes only
   * if the last write failed.
   */
  outage(): Promise<string | undefined>
  close(): Promise<void>
}

/** Callbacks of a database: hints after each commit, measurements, warnings, and the failure that makes it unusable. */
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
