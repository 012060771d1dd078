// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { RoomId } from '@myelin/matrix/ids'
import type { Caches } from './caches.ts'
import type { Tx } from './database.ts'
import { everMoving } from './moves.ts'
import type { Moving } from './moves.ts'
import { roomStatement } from './room-row.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'
import { changesRooms } from './statement.ts'
import type { Statement } from './statement.ts'
import type { WriterMemory } from './writer-memory.ts'

/** What a unit asks of the batch it is part of. */
export interface OpenBatch {
  readonly dialect: string
  readonly connection: Kysely<Tables>
  readonly caches: Caches
  readonly memory: WriterMemory
  position: Position
  /** Begins the part of the transaction that a unit can have to itself; a promise where that takes time. */
  enter(): Promise<void> | undefined
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
  send(sql: string, parameters: readonly unknown[]): void
}

/** What a unit leaves to its batch when it ends well. */
export interface UnitEnd {
  /** Statements that were not sent, because the unit read nothing. */
  readonly statements: readonly Statement[]
  /** Rooms that it moved on, whose rows were not written either. */
  readonly moved: readonly Tables['rooms'][]
  /** Whether it changed rows of `rooms` by statements of its own. */
  readonly changedRooms: boolean
}

/**
 * One unit's handle: it stops working when the unit ends, and keeps hints back until the unit has succeeded.
 *
 * A unit that reads nothing does not touch the transaction: its statements are kept until it has ended, so there is nothing
 * to be taken back where it fails. Once it reads, it enters: what it kept is sent, and all else as it comes.
 */
export class UnitTx implements Tx {
  #batch: OpenBatch | undefined
  readonly #topics: string[] = []
  readonly #onCommit: (() => void)[] = []
  #statements: Statement[] = []
  #entering: Promise<void> | undefined
  #hasEntered = false
  /** Rows that this unit read or moved on. */
  readonly #rooms = new Map<RoomId, Tables['rooms']>()
  /** Those it moved on and did not write. */
  readonly #moved = new Set<RoomId>()
  #changedRooms = false
  readonly #requests: string[] = []

  constructor(batch: OpenBatch) {
    this.#batch = batch
  }

  get #open(): OpenBatch {
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
    return this.#open.dialect
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
    const entering = this.enter(sql)
    return entering ? entering.then(() => this.#open.run<Row>(sql, parameters)) : this.#open.run<Row>(sql, parameters)
  }
  send(sql: string, parameters: readonly unknown[]): void {
    if (changesRooms(sql)) {
      this.#keepMoved()
      this.#changedRooms = true
    }
    if (this.#hasEntered) this.#open.send(sql, parameters)
    else this.#statements.push({ sql, parameters })
  }

  /** Whether it is part of the transaction, and must be ended there. */
  get hasEntered(): boolean {
    return this.#hasEntered
  }

  /** Makes sure that a statement of this unit can run; a promise where that takes time. */
  enter(sql = ''): Promise<void> | undefined {
    if (changesRooms(sql)) this.#changedRooms = true
    if (this.#hasEntered) return undefined
    if (this.#entering) return this.#entering
    const entering = this.#open.enter()
    if (!entering) this.#sendKept()
    else this.#entering = entering.then(() => this.#sendKept())
    return this.#entering
  }

  #sendKept(): void {
    this.#keepMoved()
    this.#hasEntered = true
    for (const { sql, parameters } of this.#statements) this.#open.send(sql, parameters)
    this.#statements = []
  }

  /** The rows of rooms that it moved on so far go before what comes now. */
  #keepMoved(): void {
    for (const roomId of this.#moved) {
      const row = this.#rooms.get(roomId)
      if (row) this.#statements.push(roomStatement(this, row))
    }
    this.#moved.clear()
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

  knownRoom(roomId: RoomId): Tables['rooms'] | undefined {
    return this.#changedRooms ? undefined : (this.#rooms.get(roomId) ?? this.#open.memory.rooms.get(roomId))
  }
  keepRoom(row: Tables['rooms']): void {
    this.#rooms.set(row.room_id, row)
  }
  moveRoom(row: Tables['rooms']): void {
    this.#rooms.set(row.room_id, row)
    if (this.#hasEntered) {
      const { sql, parameters } = roomStatement(this, row)
      this.#open.send(sql, parameters)
    } else this.#moved.add(row.room_id)
  }
  isUnmade(request: string, since: Position): boolean {
    return this.#open.memory.isUnmade(request, since)
  }
  noteRequest(request: string): void {
    this.#requests.push(request)
  }

  /** What it leaves to its batch; it ended well. */
  end(): UnitEnd {
    const moved = [...this.#moved].flatMap((roomId) => this.#rooms.get(roomId) ?? [])
    return { statements: this.#statements, moved, changedRooms: this.#changedRooms }
  }

  /** Hands on what others may know now: its hints to these, and the rest to the memory of the writing side. */
  keep(topics: Set<string>, onCommit: (() => void)[]): void {
    for (const topic of this.#topics) topics.add(topic)
    onCommit.push(...this.#onCommit)
    const { memory } = this.#open
    if (!this.#changedRooms) for (const [roomId, row] of this.#rooms) memory.rooms.set(roomId, row)
    for (const request of this.#requests) memory.noteRequest(request)
  }
  close(): void {
    this.#batch = undefined
  }
}
