// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { systemClock } from '@myelin/kit/clock'
import { crashPoint, rehearsed } from '@myelin/kit/crash-point'
import { forEachInTurns } from '@myelin/kit/turn'
import { Kysely } from 'kysely'
import type { QueryResult } from 'kysely'
import { Caches } from '../caches.ts'
import type { Database, DatabaseEvents, Read } from '../database.ts'
import { GroupCommit } from '../group-commit.ts'
import type { BatchChange, CommitEngine, Execute } from '../group-commit.ts'
import { KnownTopicPositions } from '../topic-positions.ts'
import { noOtherNodes } from '../other-nodes.ts'
import { checkpointInBackground } from './checkpoint.ts'
import { asConnection } from '../single-connection-driver.ts'
import { connectSqlite } from './connect.ts'
import { sqliteDialect, SqliteConnection } from './dialect.ts'
import { sqliteSearch } from './search.ts'
import { checkSqliteFile, migrateSqlite } from './migrate.ts'
import { isLocked, sqliteFailure } from './outage.ts'
import { lockSqliteFile, makePrivate } from './own-file.ts'
import { SqliteWriter } from './writer.ts'
import type { Position, Tables } from '../../schema/schema.ts'
import { BatchRefused } from '../statement.ts'
import type { Statement } from '../statement.ts'
import { DatabaseUnavailable } from '../unavailable.ts'

const syncFile = promisify(fdatasync)
// After so many changed rows, the write-ahead log is copied into the database file; it then holds at most some 100 MB.
// (The size of the file is no measure: it keeps its size when the log restarts, because growing costs more.)
const CHECKPOINT_CHANGES = 50_000
// The longest wait of a batch for a lock of another process, and the delay between tries.
const LOCK_WAIT_MS = 5000
const LOCK_RETRY_MS = 20
// The estimated cost of a statement.
const STATEMENT_COST_US = 20
// From this number of statements on, a batch is written on another thread.
const MANY_STATEMENTS = 8

/** Options of an embedded database. */
export interface SqliteOptions {
  /** The longest wait of a write for another process's lock, in milliseconds. Default: 5 s. */
  readonly lockWaitMs?: number
  /** Refuses a database of another server, before anything is written. */
  readonly serverName?: string | undefined
}

/**
 * Opens (and migrates) an embedded database file.
 *
 * One connection writes and one reads. The reader's transaction is renewed only after a commit has been synced, so it never
 * sees data that a power loss could undo. The sync runs in Node's thread pool.
 */
export async function openSqlite(
  path: string,
  events: DatabaseEvents,
  { lockWaitMs = LOCK_WAIT_MS, serverName }: SqliteOptions = {},
): Promise<Database> {
  checkSqliteFile(path, serverName)
  const unlock = lockOwnFile(path)
  const files = openFiles(path, lockWaitMs, unlock)
  const commits = new GroupCommit(files, events)
  return {
    read: files.reader,
    node: 0,
    others: noOtherNodes,
    source: { module: new URL('reader.ts', import.meta.url).href, settings: path },
    write: (work) => commits.write(work),
    position: async () => files.topicPositions.position,
    catchUp: async () => {},
    cacheFigures: () => [...files.caches.figures(), ['topicPositions', files.topicPositions]],
    outage: () => commits.outage(async () => files.read()),
    close: async () => {
      await commits.settle()
      await files.close()
      unlock()
    },
  }
}

function lockOwnFile(path: string): () => void {
  try {
    makePrivate(path)
    return lockSqliteFile(path)
  } catch (cause) {
    const isSystemError = (cause as NodeJS.ErrnoException).syscall !== undefined
    throw isSystemError ? new DatabaseUnavailable('disk', cause) : sqliteFailure(cause)
  }
}

function openFiles(path: string, lockWaitMs: number, unlock: () => void): SqliteFiles {
  try {
    const files = new SqliteFiles(path, lockWaitMs)
    files.migrate()
    return files
  } catch (cause) {
    unlock()
    throw sqliteFailure(cause)
  }
}

class SqliteFiles implements CommitEngine {
  readonly caches = new Caches()
  readonly topicPositions = new KnownTopicPositions()
  readonly dialect = 'sqlite'
  readonly search = sqliteSearch
  readonly reader: Read
  readonly #path: string
  readonly #lockWaitMs: number
  readonly #writing: DatabaseSync
  readonly #reading: DatabaseSync
  readonly #write: SqliteConnection
  readonly #read: SqliteConnection
  #walFile = -1
  #checkpoint: Promise<unknown> | undefined
  #durable: Promise<void> = Promise.resolve()
  #isRewindDue = false
  #changesCopied = 0
  #committed: BatchChange | undefined
  /** The position of the log after the last batch; undefined if it must be read. */
  #position: Position | undefined
  #isOpen = false
  /** The pending statements of write-only units. */
  #waiting: Statement[] = []
  #writer: SqliteWriter | undefined
  /** The batch that the other thread is writing and syncing. */
  #handedOver: Promise<void> | undefined

  constructor(path: string, lockWaitMs: number) {
    this.#path = path
    this.#lockWaitMs = lockWaitMs
    this.#writing = connectSqlite(path)
    this.#reading = connectSqlite(path)
    this.#write = new SqliteConnection(this.#writing)
    this.#read = new SqliteConnection(this.#reading)
    this.reader = Object.assign(new Kysely<Tables>({ dialect: sqliteDialect(this.#read) }), {
      caches: this.caches,
      topicPositions: this.topicPositions,
      dialect: this.dialect,
      search: this.search,
      run: async <Row>(sql: string, parameters: readonly unknown[]) =>
        (await this.#read.query<Row>(sql, parameters)).rows,
    })
  }

  migrate(): void {
    this.#write.run('begin immediate')
    migrateSqlite(this.#writing)
    // Only one process uses the file, so the holders of all leases are dead.
    this.#writing.exec('update readers set holder = null, node = null, until = null')
    this.#write.run('commit')
    this.#walFile = openSync(`${this.#path}-wal`, 'r+')
    // The directory entries of the files must also survive a power loss.
    const folder = openSync(dirname(this.#path), 'r')
    fsyncSync(folder)
    closeSync(folder)
    fsyncSync(this.#walFile)
    this.topicPositions.reset(this.#beginRead())
    // From here on, waiting for a lock must not block the thread.
    this.#writing.exec('pragma busy_timeout = 0')
  }

  builder(execute: Execute): Kysely<Tables> {
    return new Kysely<Tables>({ dialect: sqliteDialect(asConnection(execute)) })
  }
  async execute<Row>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#write.run<Row>(sql, parameters)
  }
  async run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    return this.#write.run<Row>(sql, parameters).rows
  }
  send(sql: string, parameters: readonly unknown[]): void {
    this.#write.run(sql, parameters)
  }

  async begin(): Promise<Position> {
    if (this.#isRewindDue) await this.#rewindLog()
    this.#position ??= this.#write.run<{ position: number }>('select position from log').rows[0]?.position ?? 0
    return this.#position
  }

  /**
   * Begins the transaction, for the first unit that needs it. Returns a promise if another process has the lock, which is
   * awaited for a bounded time without blocking the thread.
   */
  #open(start = this.#position): Promise<void> | undefined {
    try {
      this.#write.run('begin immediate')
    } catch (cause) {
      if (!isLocked(cause)) throw cause
      return this.#beginWhenFree(start)
    }
    return this.#began(start)
  }

  async #beginWhenFree(start: Position | undefined): Promise<void> {
    for (const endMs = performance.now() + this.#lockWaitMs; ; ) {
      await new Promise<void>((resolve) => systemClock.later(LOCK_RETRY_MS, resolve))
      try {
        this.#write.run('begin immediate')
        break
      } catch (cause) {
        if (!isLocked(cause) || performance.now() > endMs) throw cause
      }
    }
    await this.#began(start)
  }

  #began(start: Position | undefined): Promise<void> | undefined {
    this.#isOpen = true
    const { position } = this.#write.run<{ position: number }>('select position from log').rows[0] ?? { position: 0 }
    // Another program has changed the database.
    if (position !== start)
      throw new BatchRefused(
        new Error('another process wrote to the database; stop it, or give each server a database of its own'),
      )
    return this.#runWaiting()
  }

  /** Runs the statements of write-only units. Returns a promise if they do not fit into one turn of the event loop. */
  #runWaiting(): Promise<void> | undefined {
    const waiting = this.#waiting
    this.#waiting = []
    return forEachInTurns(waiting, STATEMENT_COST_US, (statement) => this.#runKept(statement))
  }

  #runKept({ sql, parameters }: Statement): void {
    try {
      this.#write.run(sql, parameters)
    } catch (cause) {
      throw cause instanceof DatabaseUnavailable ? cause : new BatchRefused(cause)
    }
  }

  savepoint(): Promise<void> | undefined {
    return this.#handedOver ? this.#handedOver.then(() => this.#openUnit()) : this.#openUnit()
  }
  #openUnit(): Promise<void> | undefined {
    const opening = this.#isOpen ? this.#runWaiting() : this.#open()
    if (opening) return opening.then(() => void this.#write.run('savepoint unit'))
    this.#write.run('savepoint unit')
    return undefined
  }
  async release(): Promise<void> {
    this.#write.run('release unit')
  }
  async rollbackTo(cause: unknown): Promise<unknown> {
    // If the disk is full, SQLite rolls back the whole transaction.
    if (!this.#writing.isTransaction) throw cause
    this.#write.run('rollback to unit')
    this.#write.run('release unit')
    return cause
  }
  put(statements: readonly Statement[]): void {
    for (const statement of statements) this.#waiting.push(statement)
  }
  async rollback(): Promise<void> {
    this.#waiting = []
    this.#position = undefined
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#write.run('rollback')
  }
  async commit(move: BatchChange): Promise<void> {
    this.#committed = move
    this.#position = move.position
    if (!this.#isOpen && this.#isForThread(this.#waiting.length)) return this.#handOver(move)
    await (this.#isOpen ? this.#runWaiting() : this.#open(move.start))
    this.#write.run('update log set position = ?', [move.position])
    this.#write.run('commit')
    this.#isOpen = false
    crashPoint('committed')
  }

  /** Returns whether so many statements are to be written on the other thread; starts it where they are many. */
  #isForThread(count: number): boolean {
    const rehearsedMany = rehearsed()?.handOverFrom
    if (count < (rehearsedMany ?? MANY_STATEMENTS)) return false
    return this.#thread().isReady() || rehearsedMany !== undefined
  }

  #thread(): SqliteWriter {
    return (this.#writer ??= new SqliteWriter({ path: this.#path, logFile: this.#walFile }))
  }

  /** Runs the statements of a batch on another thread. No unit may need their results. */
  #handOver(move: BatchChange): void {
    const statements = this.#waiting
    this.#waiting = []
    this.#handedOver = this.#thread()
      .write(statements, move)
      .catch((cause: unknown) => {
        this.#position = undefined
        throw cause
      })
  }

  async makeDurable(): Promise<void> {
    this.#durable = this.#sync()
    await this.#durable
    if (this.#changes() - this.#changesCopied > (rehearsed()?.checkpointChanges ?? CHECKPOINT_CHANGES))
      this.#copyLogBack()
  }

  async #sync(): Promise<void> {
    const move = this.#committed
    await (this.#handedOver ?? syncFile(this.#walFile)).finally(() => (this.#handedOver = undefined))
    this.#renewReader()
    if (move) this.topicPositions.note(move.position, move.topics)
  }

  /** Shows the synced batch to readers. The batch is on disk already, so a failure is no outage. */
  #renewReader(): void {
    try {
      this.#read.run('commit')
      this.#beginRead()
    } catch (cause) {
      throw new Error('the reading connection failed', { cause })
    }
  }

  /** Begins a read transaction with its snapshot and returns its position; `begin` alone takes the snapshot at the first read. */
  #beginRead(): Position {
    this.#read.run('begin')
    return this.#read.run<{ position: number }>('select position from log').rows[0]?.position ?? 0
  }

  #changes(): number {
    const { n } = this.#write.run<{ n: number }>('select total_changes() as n').rows[0] ?? { n: 0 }
    return n + (this.#writer?.changes ?? 0)
  }

  /** Copies the write-ahead log on another thread, beside the running batches. */
  #copyLogBack(): void {
    this.#changesCopied = this.#changes()
    this.#checkpoint ??= checkpointInBackground(this.#path).then(
      () => {
        this.#isRewindDue = true
        this.#checkpoint = undefined
      },
      () => (this.#checkpoint = undefined),
    )
  }

  /** Copies the last pages and restarts the log between two commits, because an open snapshot prevents a restart. */
  async #rewindLog(): Promise<void> {
    await this.#durable.catch(() => {})
    this.#isRewindDue = false
    this.#read.run('commit')
    crashPoint('log to start over')
    this.#reading.exec('pragma wal_checkpoint(passive)')
    crashPoint('log starts over')
    this.#beginRead()
  }

  /** Runs a trivial query; throws if reading is impossible. */
  read(): void {
    this.#read.run('select 1 as one')
  }

  async close(): Promise<void> {
    await this.#checkpoint
    await this.#writer?.close()
    closeSync(this.#walFile)
    this.#reading.close()
    this.#writing.close()
  }
}
