// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import type { Kysely } from 'kysely'
import type { Caches } from './caches.ts'
import type { Tx } from './database.ts'
import { unknownTopicPositions } from './topic-positions.ts'
import type { TopicPositions } from './topic-positions.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'
import type { SearchIndex } from './search-index.ts'
import type { Statement } from './statement.ts'
import type { KeptTable } from './known-rows.ts'
import { UnitMemory } from './unit-memory.ts'
import type { ChangedRow } from './unit-memory.ts'
import type { WriterMemory } from './writer-memory.ts'

/** The estimated costs of a sent and of a buffered statement. */
const STATEMENT_COST_US = 20
const KEPT_COST_US = 2

/** The part of a batch that its units use. */
export interface OpenBatch {
  readonly dialect: string
  readonly search: SearchIndex
  readonly connection: Kysely<Tables>
  readonly caches: Caches
  readonly memory: WriterMemory
  position: Position
  /** Begins a savepoint for a unit. Returns a promise if that takes time. */
  enter(): Promise<void> | undefined
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
  send(sql: string, parameters: readonly unknown[]): void
}

/** The unwritten work of a successful unit. */
export interface UnitEnd {
  /** Statements that were not sent, because the unit read nothing. */
  readonly statements: readonly Statement[]
  /** Changed rows that are not yet written. */
  readonly changed: readonly ChangedRow[]
  /** Tables whose kept rows may have been changed by its statements. */
  readonly overwritten: ReadonlySet<KeptTable>
}

/**
 * The handle of one write transaction. It stops working when the transaction ends, and holds back hints until it has
 * succeeded.
 *
 * A transaction that reads nothing does not touch the database: its statements are buffered until it ends, so a failure
 * needs no rollback. With the first read it enters: buffered statements are sent, and further ones are sent at once.
 */
export class UnitTx implements Tx {
  #batch: OpenBatch | undefined
  readonly #topics: string[] = []
  readonly #onCommit: (() => void)[] = []
  #statements: Statement[] = []
  #entering: Promise<void> | undefined
  #hasEntered = false
  readonly known: UnitMemory

  constructor(batch: OpenBatch) {
    this.#batch = batch
    this.known = new UnitMemory(batch.memory, (changed) => {
      if (this.#hasEntered) this.#sendNow(changed.statementOf(this))
      return this.#hasEntered
    })
  }

  get #open(): OpenBatch {
    if (!this.#batch) throw new Error('the transaction has ended; await every query inside it')
    return this.#batch
  }

  get caches(): Caches {
    return this.#open.caches
  }
  get topicPositions(): TopicPositions {
    return unknownTopicPositions
  }
  get dialect(): string {
    return this.#open.dialect
  }
  get search(): SearchIndex {
    return this.#open.search
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

  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    const ready = this.ready()
    return ready ? ready.then(() => this.#open.run<Row>(sql, parameters)) : this.#open.run<Row>(sql, parameters)
  }
  send(statement: Statement): Promise<void> | undefined {
    if (this.known.overwrite(statement.target.table)) this.#keepChanged()
    if (this.#hasEntered) this.#sendNow(statement)
    else this.#statements.push(statement)
    return step(this.#hasEntered ? STATEMENT_COST_US : KEPT_COST_US)
  }

  /** Like `enter`, and also returns a promise if the event loop should have a turn first. */
  ready(table?: keyof Tables): Promise<void> | undefined {
    const entering = this.enter(table)
    const pausing = step(STATEMENT_COST_US)
    return entering && pausing ? entering.then(() => pausing) : (entering ?? pausing)
  }

  #sendNow({ sql, parameters }: Statement): void {
    this.#open.send(sql, parameters)
  }

  /** Whether the transaction has a savepoint, which must be ended. */
  get hasEntered(): boolean {
    return this.#hasEntered
  }

  /** Begins a savepoint, unless there is one, for a statement that may write `table`. Returns a promise if that takes time. */
  enter(table?: keyof Tables): Promise<void> | undefined {
    if (table !== undefined) this.known.overwrite(table)
    if (this.#hasEntered) return undefined
    if (this.#entering) return this.#entering
    const entering = this.#open.enter()
    if (!entering) this.#sendKept()
    else this.#entering = entering.then(() => this.#sendKept())
    return this.#entering
  }

  #sendKept(): void {
    this.#keepChanged()
    this.#hasEntered = true
    for (const statement of this.#statements) this.#sendNow(statement)
    this.#statements = []
  }

  /** Buffers the rows changed so far, before the next statement. */
  #keepChanged(): void {
    for (const changed of this.known.takeChanged()) this.#statements.push(changed.statementOf(this))
  }

  // Positions of a failed unit are not reused: a gap is harmless, but a number used twice would corrupt caches.
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

  /** Returns the unwritten work of the unit, after it succeeded. */
  end(): UnitEnd {
    return {
      statements: this.#statements,
      changed: this.known.takeChanged(),
      overwritten: this.known.overwritten,
    }
  }

  /** Hands the unit's topics and tasks to its batch, and shares its rows with later units. */
  keep(topics: Set<string>, onCommit: (() => void)[]): void {
    for (const topic of this.#topics) topics.add(topic)
    onCommit.push(...this.#onCommit)
    this.known.share()
  }
  close(): void {
    this.#batch = undefined
  }
}
