// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely'
import type { Position, Tables } from '../schema/schema.ts'
import type { Statement } from './statement.ts'

/** Builds statements that write, in a dialect. A unit is a statement builder. */
export interface StatementBuilder extends Pick<Kysely<Tables>, 'insertInto' | 'updateTable' | 'deleteFrom'> {
  readonly dialect: string
}

/**
 * The tables whose rows a node may cache. A batch that writes one of them with a statement takes a position, so that
 * other nodes drop their rows.
 */
export type KeptTable = 'rooms'

/** Returns whether the rows of a table may be kept. */
export const isKeptTable = (table: keyof Tables): table is KeptTable => table === 'rooms'

/**
 * The rows of one table that the writing side keeps. Units read them without a query. Changed rows are written behind, once
 * for all units of a batch. A table has at most one kind.
 */
export interface RowKind<Row extends object> {
  readonly table: KeptTable
  /** Returns the key of a row. */
  readonly keyOf: (row: Row) => string
  /** Returns the statement that writes a changed row. */
  readonly statementOf: (builder: StatementBuilder, row: Row) => Statement
}

/** The rows and keys that a unit knows without a query. */
export interface KnownRows {
  /** Returns a row as this unit would read it; undefined if it must be queried. */
  row<Row extends object>(kind: RowKind<Row>, key: string): Row | undefined
  /** Keeps a row that this unit has just read. */
  keep<Row extends object>(kind: RowKind<Row>, row: Row): void
  /** Changes a row. It is written before the next read of its table, and with the commit at the latest. */
  change<Row extends object>(kind: RowKind<Row>, row: Row): void
  /** Notes a key for later units. */
  note(key: string): void
  /** Returns whether it is certain that no unit noted a key since a position. */
  isUnnoted(key: string, since: Position): boolean
}
