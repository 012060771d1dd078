// SPDX-License-Identifier: Apache-2.0
import { isKeptTable } from './known-rows.ts'
import type { KeptTable, KnownRows, RowKind, StatementBuilder } from './known-rows.ts'
import type { Position, Tables } from '../schema/schema.ts'
import type { Statement } from './statement.ts'
import type { WriterMemory } from './writer-memory.ts'

/** A changed row that is not yet written. */
export interface ChangedRow {
  /** The table and the key of the row. */
  readonly name: string
  readonly statementOf: (builder: StatementBuilder) => Statement
}

/** The kept rows that one unit reads and changes; later units see them once it succeeds. */
export class UnitMemory implements KnownRows {
  readonly #memory: WriterMemory
  readonly #writesNow: (changed: ChangedRow) => boolean
  readonly #rows = new Map<KeptTable, Map<string, object>>()
  readonly #changed = new Map<string, ChangedRow>()
  readonly #overwritten = new Set<KeptTable>()
  readonly #notes: string[] = []

  /** `writesNow` writes a changed row at once, or returns false if the row can be written later. */
  constructor(memory: WriterMemory, writesNow: (changed: ChangedRow) => boolean) {
    this.#memory = memory
    this.#writesNow = writesNow
  }

  row<Row extends object>({ table }: RowKind<Row>, key: string): Row | undefined {
    if (this.#overwritten.has(table)) return undefined
    // A table has at most one kind.
    return (this.#rows.get(table)?.get(key) ?? this.#memory.row(table, key)) as Row | undefined
  }
  keep<Row extends object>({ table, keyOf }: RowKind<Row>, row: Row): void {
    let rows = this.#rows.get(table)
    if (!rows) this.#rows.set(table, (rows = new Map()))
    rows.set(keyOf(row), row)
  }
  change<Row extends object>(kind: RowKind<Row>, row: Row): void {
    this.keep(kind, row)
    const name = `${kind.table} ${kind.keyOf(row)}`
    const changed = { name, statementOf: (builder: StatementBuilder) => kind.statementOf(builder, row) }
    if (!this.#writesNow(changed)) this.#changed.set(name, changed)
  }
  note(key: string): void {
    this.#notes.push(key)
  }
  isUnnoted(key: string, since: Position): boolean {
    return this.#memory.isUnnoted(key, since)
  }

  /** Drops the kept rows of a table, because a statement of the unit writes it; returns whether its rows may be kept. */
  overwrite(table: keyof Tables): boolean {
    if (!isKeptTable(table)) return false
    this.#overwritten.add(table)
    return true
  }

  /** The tables whose kept rows may have been changed by statements of the unit. */
  get overwritten(): ReadonlySet<KeptTable> {
    return this.#overwritten
  }

  /** Removes and returns the changed rows that are not yet written. */
  takeChanged(): readonly ChangedRow[] {
    if (this.#changed.size === 0) return []
    const changed = [...this.#changed.values()]
    this.#changed.clear()
    return changed
  }

  /** Shares the known rows and notes of this write transaction with later ones, after it succeeded. */
  share(): void {
    for (const [table, rows] of this.#rows) if (!this.#overwritten.has(table)) this.#memory.keep(table, rows)
    for (const table of this.#overwritten) this.#memory.clear(table)
    for (const key of this.#notes) this.#memory.note(key)
  }
}
