// SPDX-License-Identifier: Apache-2.0
import { crashPoint } from '@myelin/kit/crash-point'
import type { Kysely } from 'kysely'
import type { Caches } from './caches.ts'
import type { DatabaseEvents, Tx } from './database.ts'
import { everMoving } from './moves.ts'
import type { Moving } from './moves.ts'
import type { Nid, Position, Tables } from './schema.ts'

/** From where to where a batch took the log, and what it moved. */
export interface BatchMove {
  readonly start: Position
  readonly position: Position
  readonly topics: ReadonlySet<string>
}

/** What a group commit asks of an engine. All calls come from one place, one after the other, except that `makeDurable` runs beside the next batch's units. */
export interface CommitEngine {
  /** The connection units write through. */
  readonly connection: Kysely<Tables>
  readonly caches: Caches
  readonly dialect: string
  /** Runs one compiled statement on the writing connection. */
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
  /** Sends one compiled statement whose answer nobody needs; a refusal is told at the unit's end at the latest. */
  send(sql: string, parameters: readonly unknown[]): void
  /** Opens the transaction, holds the log's row, and answers the last position taken. */
  begin(): Promise<Position>
  /** Begins a unit. It may not have happened on return; what goes wrong is told by `release`. */
  savepoint(): void
  /** Ends a unit: on return everything it sent was done, or this throws. */
  release(): Promise<void>
  /** Takes a unit back; answers why: the cause given, or a refusal of something sent before it. */
  rollbackTo(cause: unknown): Promise<unknown>
  rollback(): Promise<void>
  /** Stores the last position and commits. On return the commit is atomic, though not yet on disk or visible to readers. */
  commit(move: BatchMove): Promise<void>
  /** Returns when the commit is on disk, readers see it, and `moves` knows it. */
  makeDurable(): Promise<void>
}

type Unit = { readonly run: (tx: Tx) => Promise<() => void>; readonly fail: (cause: unknown) => void }

// Slices keep the event loop alive: a batch yields to I/O after this many ms of work.
const SLICE_MS = 4
const MAX_UNITS = 500

/**
 * Collects units of work into shared transactions.
 *
 * While one batch is being synced the next one already runs; it commits only after that sync returned, so no
 * reader ever sees what is not on disk. A unit that fails takes only itself back.
 */
export class GroupCommit {
  readonly #engine: CommitEngine
  readonly #events: DatabaseEvents
  #queue: Unit[] = []
  #running: Promise<void> | undefined
  #syncing: Promise<void> = Promise.resolve()
  #isSyncing = false
  #failure: unknown
  #wake: () => void = () => {}

  constructor(engine: CommitEngine, events: DatabaseEvents) {
    this.#engine = engine
    this.#events = events
  }

  /** Queues a unit; resolves once it is on disk and visible. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise<T>((resolve, reject) => {
      const run = async (tx: Tx) => {
        const result = await work(tx)
        return () => resolve(result)
      }
      this.#queue.push({ run, fail: reject })
      this.#wake()
      this.#running ??= this.#drain()
    })
  }

  /** Waits until everything queued is on disk. */
  async settle(): Promise<void> {
    await this.#running
    await this.#syncing
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
    const batch = new Batch(this.#engine)
    let opened = false
    try {
      batch.position = batch.start = await this.#engine.begin()
      opened = true
      await this.#runUnits(batch)
      // Nobody may see this batch before the previous one is safe.
      await this.#syncing
      if (this.#failure) throw this.#failure
      // What moved must have moved somewhere.
      if (batch.topics.size > 0 && batch.position === batch.start) batch.position++
      crashPoint('units run')
      await this.#engine.commit(batch)
      crashPoint('committed')
    } catch (cause) {
      if (opened) await this.#engine.rollback().catch(() => {})
      // Its numbers will be given again, to other things.
      this.#engine.caches.clear()
      for (const unit of batch.units) unit.fail(cause)
      if (!opened) this.#refuseQueue(cause)
      return
    }
    this.#isSyncing = true
    this.#syncing = this.#engine.makeDurable().then(
      () => this.#settled(batch, performance.now() - startedMs),
      (cause: unknown) => this.#broken(batch, cause),
    )
  }

  async #runUnits(batch: Batch): Promise<void> {
    let sliceStartMs = performance.now()
    while (batch.units.length < MAX_UNITS) {
      const unit = this.#queue.shift()
      if (!unit) {
        if (!this.#isSyncing) return
        // The disk is busy anyway: whoever comes meanwhile still catches this commit.
        await Promise.race([this.#syncing, new Promise<void>((resolve) => (this.#wake = resolve))])
        continue
      }
      await this.#runUnit(batch, unit)
      if (performance.now() - sliceStartMs > SLICE_MS) {
        await new Promise<void>((resolve) => setImmediate(resolve))
        sliceStartMs = performance.now()
      }
    }
  }

  async #runUnit(batch: Batch, unit: Unit): Promise<void> {
    const tx = new UnitTx(batch)
    try {
      this.#engine.savepoint()
      const answer = await unit.run(tx)
      await this.#engine.release()
      tx.keep()
      batch.units.push(unit)
      batch.answers.push(answer)
    } catch (cause) {
      unit.fail(await this.#engine.rollbackTo(cause))
    } finally {
      tx.close()
    }
  }

  #settled(batch: Batch, durationMs: number): void {
    crashPoint('synced')
    this.#isSyncing = false
    for (const task of batch.onCommit) task()
    this.#events.measured?.({ units: batch.units.length, durationMs })
    if (batch.units.length > 0) this.#events.committed({ position: batch.position, topics: batch.topics })
    for (const answer of batch.answers) answer()
  }

  /** After a failed sync nobody knows what the disk holds, so nothing may be promised any more. */
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

class Batch {
  readonly engine: CommitEngine
  readonly connection: Kysely<Tables>
  readonly caches: Caches
  readonly units: Unit[] = []
  readonly answers: (() => void)[] = []
  readonly topics = new Set<string>()
  readonly onCommit: (() => void)[] = []
  start: Position = 0
  position: Position = 0

  constructor(engine: CommitEngine) {
    this.engine = engine
    this.connection = engine.connection
    this.caches = engine.caches
  }
}

/** One unit's handle: it stops working when the unit ends, and keeps hints back until the unit has succeeded. */
class UnitTx implements Tx {
  #batch: Batch | undefined
  readonly #topics: string[] = []
  readonly #onCommit: (() => void)[] = []

  constructor(batch: Batch) {
    this.#batch = batch
  }

  get #open(): Batch {
    if (!this.#batch) throw new Error('the transaction has ended; await every query inside it')
    return this.#batch
  }

  get caches(): Caches {
    return this.#open.caches
  }
  get moves(): Moving {
    return everMoving
  }
  get dialect(): string {
    return this.#open.engine.dialect
  }
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    return this.#open.engine.run(sql, parameters)
  }
  send(sql: string, parameters: readonly unknown[]): void {
    this.#open.engine.send(sql, parameters)
  }
  get selectFrom(): Tx['selectFrom'] {
    const { connection } = this.#open
    return connection.selectFrom.bind(connection) as Tx['selectFrom']
  }
  get with(): Tx['with'] {
    const { connection } = this.#open
    return connection.with.bind(connection) as Tx['with']
  }
  get withRecursive(): Tx['withRecursive'] {
    const { connection } = this.#open
    return connection.withRecursive.bind(connection) as Tx['withRecursive']
  }
  get insertInto(): Tx['insertInto'] {
    const { connection } = this.#open
    return connection.insertInto.bind(connection) as Tx['insertInto']
  }
  get updateTable(): Tx['updateTable'] {
    const { connection } = this.#open
    return connection.updateTable.bind(connection) as Tx['updateTable']
  }
  get deleteFrom(): Tx['deleteFrom'] {
    const { connection } = this.#open
    return connection.deleteFrom.bind(connection) as Tx['deleteFrom']
  }

  // Positions are not given back when a unit fails: a gap is harmless, a number used twice would poison caches.
  takePosition(): Position {
    return ++this.#open.position
  }
  takeNid(): Nid {
    return ++this.#open.position
  }
  touch(topic: string): void {
    this.#topics.push(topic)
  }
  onCommit(task: () => void): void {
    this.#onCommit.push(task)
  }

  keep(): void {
    const batch = this.#open
    for (const topic of this.#topics) batch.topics.add(topic)
    batch.onCommit.push(...this.#onCommit)
  }
  close(): void {
    this.#batch = undefined
  }
}
