// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@myelin/kit/clock'
import type { Timer } from '@myelin/kit/clock'
import { crashPoint } from '@myelin/kit/crash-point'
import { step } from '@myelin/kit/turn'
import type { CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { Caches } from './caches.ts'
import type { DatabaseEvents, Tx } from './database.ts'
import type { Position, Tables } from '../schema/schema.ts'
import type { SearchIndex } from './search-index.ts'
import { BatchRefused, tableWrittenBy } from './statement.ts'
import type { Statement } from './statement.ts'
import type { ChangedRow } from './unit-memory.ts'
import { UnitTx } from './unit-tx.ts'
import type { OpenBatch } from './unit-tx.ts'
import { DatabaseUnavailable } from './unavailable.ts'
import { WriterMemory } from './writer-memory.ts'

/** The stretch of the log that a batch took, and the topics that it touched. */
export interface BatchChange {
  readonly start: Position
  readonly position: Position
  readonly topics: ReadonlySet<string>
}

/** Runs one query. */
export type Execute = <Row>(query: CompiledQuery<Row>) => Promise<QueryResult<Row>>

/**
 * The operations of an engine that a group commit needs. Calls never overlap, except that `makeDurable` runs beside the
 * units of the next batch.
 */
export interface CommitEngine {
  readonly caches: Caches
  readonly dialect: string
  readonly search: SearchIndex
  /** A query builder whose statements go to `execute`. */
  builder(execute: Execute): Kysely<Tables>
  /** Runs one statement on the writing connection. */
  execute<Row>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<Row>>
  /** Runs one statement that is frequent, prepared once. Returns its rows. */
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
  /** Sends one compiled statement without waiting for its result; a refusal is reported by the end of the unit. */
  send(sql: string, parameters: readonly unknown[]): void
  /** Begins a batch and returns the last position taken. */
  begin(): Promise<Position>
  /** Begins a savepoint for a unit that reads. A failure may surface only in `release`. Rejects if the batch is lost. */
  savepoint(): Promise<void> | undefined
  /** Releases the savepoint. On return, every statement that the unit sent has run; throws if one failed. */
  release(): Promise<void>
  /** Rolls back to the savepoint. Returns `cause`, or an earlier failure of a sent statement. Rejects if the batch is lost. */
  rollbackTo(cause: unknown): Promise<unknown>
  /** Queues the statements of a write-only unit. They run before later statements; if one fails, the batch is lost. */
  put(statements: readonly Statement[]): void
  rollback(): Promise<void>
  /** Stores the last position and commits, or leaves the commit to `makeDurable`. */
  commit(move: BatchChange): Promise<void>
  /**
   * Resolves when the commit is on disk as a whole and visible to readers. Rejects with a `BatchRefused` if it is certain
   * that nothing of the batch was committed.
   */
  makeDurable(): Promise<void>
}

type Unit = {
  readonly run: (tx: Tx) => Promise<() => void>
  readonly fail: (cause: unknown) => void
  /** The number of rolled-back batches that contained the unit. */
  trials: number
}

const MAX_UNITS = 500
// The estimated cost of a unit beside its statements.
const UNIT_COST_US = 20
// Shorter than the timeout of a monitoring request.
const PROBE_WAIT_MS = 2000
const NO_ANSWER = 'the database does not answer'
// The first failure may be due to another unit, the second due to the batch before, which was rolled back.
const MAX_TRIALS = 3

/**
 * Collects units of work into shared transactions.
 *
 * While one batch is being synced, the next one already runs. It commits only after that sync has returned, so no reader
 * sees data that is not on disk. A failing unit rolls back only itself.
 */
export class GroupCommit {
  readonly #engine: CommitEngine
  readonly #events: DatabaseEvents
  readonly #connection: Kysely<Tables>
  readonly #memory = new WriterMemory()
  #queue: Unit[] = []
  #running: Promise<void> | undefined
  #current: UnitTx | undefined
  #syncing: Promise<void> = Promise.resolve()
  #isSyncing = false
  /** The number of batches that were rolled back in `makeDurable`. */
  #rolledBack = 0
  #failure: unknown
  /** The reason why the last batch could not be written; undefined after a successful one. */
  #outage: DatabaseUnavailable | undefined
  #wake: () => void = () => {}

  constructor(engine: CommitEngine, events: DatabaseEvents) {
    this.#engine = engine
    this.#events = events
    this.#connection = engine.builder(({ query, sql, parameters }) => {
      if (!this.#current) throw new Error('the transaction has ended; await every query inside it')
      const ready = this.#current.ready(tableWrittenBy(query))
      return ready ? ready.then(() => engine.execute(sql, parameters)) : engine.execute(sql, parameters)
    })
  }

  /** Queues a unit; resolves once it is on disk and visible. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise<T>((resolve, reject) => {
      const run = async (tx: Tx) => {
        const result = await work(tx)
        return () => resolve(result)
      }
      this.#queue.push({ run, fail: reject, trials: 0 })
      this.#wake()
      this.#running ??= this.#drain()
    })
  }

  /** Returns the reason, in words, why writing or `read` is impossible; undefined if both are possible. */
  async outage(read: () => Promise<unknown>): Promise<string | undefined> {
    if (this.#failure) return 'the database failed'
    // Only a successful write proves that an outage is over.
    const probe = this.#outage ? this.write(async (tx) => void tx.takePosition()) : read()
    const isFine = probe.then(
      () => undefined,
      (cause: unknown) => (cause instanceof DatabaseUnavailable ? cause.message : NO_ANSWER),
    )
    let timer: Timer | undefined
    const late = new Promise<string>((resolve) => {
      timer = systemClock.later(PROBE_WAIT_MS, () => resolve(this.#outage?.message ?? NO_ANSWER))
    })
    return Promise.race([isFine, late]).finally(() => timer?.cancel())
  }

  /** Waits until everything queued is on disk. */
  async settle(): Promise<void> {
    while (this.#running || this.#isSyncing) {
      await this.#running
      await this.#syncing
    }
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#batch()
    } finally {
      this.#running = undefined
    }
  }

  async #batch(): Promise<void> {
    const startedMs = performance.now()
    const batch = new Batch(this.#engine, this.#connection, this.#memory)
    const rolledBack = this.#rolledBack
    let opened = false
    try {
      batch.position = batch.start = await this.#engine.begin()
      opened = true
      this.#memory.begin(batch.start)
      await this.#runUnits(batch)
      // This batch must not be visible before the previous one is synced.
      await this.#syncing
      if (this.#failure) throw this.#failure
      if (rolledBack !== this.#rolledBack) throw new BatchRefused('the batch before it was rolled back')
      batch.complete()
      crashPoint('units run')
      await this.#engine.commit(batch)
      this.#memory.end(batch.position)
    } catch (cause) {
      if (opened) await this.#engine.rollback().catch(() => {})
      this.#rollBack(batch, cause)
      // Otherwise each queued unit would wait for the outage in turn.
      if (!opened || cause instanceof DatabaseUnavailable) this.#refuseQueue(cause)
      return
    }
    this.#isSyncing = true
    this.#syncing = this.#engine.makeDurable().then(
      () => this.#settled(batch, performance.now() - startedMs),
      (cause: unknown) => {
        const isRolledBack = cause instanceof BatchRefused || cause instanceof DatabaseUnavailable
        if (!isRolledBack) return this.#broken(batch, cause)
        this.#isSyncing = false
        this.#rolledBack++
        this.#rollBack(batch, cause)
      },
    )
  }

  /**
   * Handles a batch of which nothing was committed. If a statement failed, the units run again, each in its own savepoint, so
   * that only the unit at fault fails.
   */
  #rollBack(batch: Batch, cause: unknown): void {
    // The numbers that the batch assigned will be assigned again, to other rows.
    this.#engine.caches.clear()
    this.#memory.forget()
    if (cause instanceof DatabaseUnavailable) this.#outage = cause
    const again: Unit[] = []
    for (const unit of batch.units) {
      if (cause instanceof BatchRefused && unit.trials++ < MAX_TRIALS) again.push(unit)
      else unit.fail(cause instanceof BatchRefused ? cause.cause : cause)
    }
    if (again.length === 0) return
    this.#queue.unshift(...again)
    this.#wake()
    this.#running ??= this.#drain()
  }

  async #runUnits(batch: Batch): Promise<void> {
    while (batch.units.length < MAX_UNITS) {
      const unit = this.#queue.shift()
      if (!unit) {
        if (!this.#isSyncing) return
        // Units that arrive during the sync join this batch.
        await Promise.race([this.#syncing, new Promise<void>((resolve) => (this.#wake = resolve))])
        continue
      }
      await this.#runUnit(batch, unit)
      const pausing = step(UNIT_COST_US)
      if (pausing) await pausing
    }
  }

  async #runUnit(batch: Batch, unit: Unit): Promise<void> {
    const tx = new UnitTx(batch)
    // From here on, the unit shares the outcome of the batch.
    batch.units.push(unit)
    this.#current = tx
    try {
      if (unit.trials > 0) batch.isOnTrial = true
      if (batch.isOnTrial) await tx.enter()
      const answer = await unit.run(tx)
      if (tx.hasEntered) await this.#engine.release()
      batch.take(tx)
      batch.answers.push(answer)
    } catch (cause) {
      if (batch.lost) throw batch.lost.cause
      const reported = tx.hasEntered ? await this.#engine.rollbackTo(cause) : cause
      if (reported instanceof DatabaseUnavailable) this.#outage = reported
      batch.units.pop()
      unit.fail(reported)
    } finally {
      this.#current = undefined
      tx.close()
    }
  }

  #settled(batch: Batch, durationMs: number): void {
    crashPoint('synced')
    this.#isSyncing = false
    // If all units failed, the batch was committed empty.
    if (batch.units.length > 0) this.#outage = undefined
    for (const task of batch.onCommit) task()
    this.#events.measured?.({ units: batch.units.length, durationMs })
    if (batch.units.length > 0) this.#events.committed({ position: batch.position, topics: batch.topics })
    for (const answer of batch.answers) answer()
  }

  /** Refuses all further units, because the content of the disk is unknown after a failed sync. */
  #broken(batch: Batch, cause: unknown): void {
    this.#isSyncing = false
    this.#failure = cause
    for (const unit of batch.units) unit.fail(cause)
    this.#refuseQueue(cause)
    this.#events.failed?.(cause)
  }

  #refuseQueue(cause: unknown): void {
    const queue = this.#queue
    this.#queue = []
    for (const unit of queue) unit.fail(cause)
  }
}

class Batch implements OpenBatch {
  readonly #engine: CommitEngine
  readonly connection: Kysely<Tables>
  readonly memory: WriterMemory
  readonly units: Unit[] = []
  readonly answers: (() => void)[] = []
  readonly topics = new Set<string>()
  readonly onCommit: (() => void)[] = []
  /** Changed rows that are not yet written, by name. */
  readonly #changed = new Map<string, ChangedRow>()
  #hasOverwritten = false
  /** Every unit runs in its own savepoint, so that it can fail alone. */
  isOnTrial = false
  /** The reason why the batch cannot be committed any more. */
  lost: { readonly cause: unknown } | undefined
  start: Position = 0
  position: Position = 0

  constructor(engine: CommitEngine, connection: Kysely<Tables>, memory: WriterMemory) {
    this.#engine = engine
    this.connection = connection
    this.memory = memory
  }

  get dialect(): string {
    return this.#engine.dialect
  }
  get search(): SearchIndex {
    return this.#engine.search
  }
  get caches(): Caches {
    return this.#engine.caches
  }
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    return this.#engine.run(sql, parameters)
  }
  send(sql: string, parameters: readonly unknown[]): void {
    this.#engine.send(sql, parameters)
  }

  enter(): Promise<void> | undefined {
    try {
      this.#writeChanged()
      return this.#engine.savepoint()?.catch((cause: unknown) => this.#lose(cause))
    } catch (cause) {
      return this.#lose(cause)
    }
  }

  #lose(cause: unknown): never {
    this.lost = { cause }
    throw cause
  }

  /** Adds the statements, rows and topics of a successful unit to the batch. */
  take(tx: UnitTx): void {
    const { statements, changed, overwritten } = tx.end()
    if (overwritten.size > 0) {
      this.#hasOverwritten = true
      this.#writeChanged()
    }
    this.#engine.put(statements)
    for (const row of changed) this.#changed.set(row.name, row)
    tx.keep(this.topics, this.onCommit)
  }

  /** Writes the changed rows and takes a position, after all units have run. */
  complete(): void {
    this.#writeChanged()
    // A touched topic needs a position after the batch's start, and other nodes drop kept rows when the position moves.
    if ((this.topics.size > 0 || this.#hasOverwritten) && this.position === this.start) this.position++
  }

  #writeChanged(): void {
    if (this.#changed.size === 0) return
    const tx = new UnitTx(this)
    this.#engine.put([...this.#changed.values()].map((row) => row.statementOf(tx)))
    this.#changed.clear()
  }
}
