// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { KeptTable } from './known-rows.ts'
import type { Position } from '../schema/schema.ts'

/** The number of batches for which noted keys are kept. */
const BATCHES = 8
/** The maximum number of kept rows of a table. */
const MAX_ROWS = 2000

/**
 * The rows and noted keys that write transactions know without a query. They are as the next transaction would read them,
 * whether written or not.
 *
 * It is valid while this process is the only writer: a batch of another node, or a rollback, clears it.
 */
export class WriterMemory {
  readonly #rows = new Map<KeptTable, Cache<string, object>>()
  #notes: { end: Position; readonly keys: Set<string> }[] = []
  /** Noted keys up to this position are unknown. */
  #floor: Position = Infinity
  #end: Position | undefined

  /** Begins a batch at a position of the log. */
  begin(position: Position): void {
    if (position !== this.#end) this.forget()
    this.#floor = Math.min(this.#floor, position)
    const last = this.#notes.at(-1)
    if (last) last.end = position
    this.#notes.push({ end: Infinity, keys: new Set() })
    if (this.#notes.length > BATCHES) this.#floor = this.#notes.shift()?.end ?? position
  }

  /** Ends the batch at a position, after its commit. */
  end(position: Position): void {
    this.#end = position
  }

  /** Clears everything. */
  forget(): void {
    this.#end = undefined
    for (const rows of this.#rows.values()) rows.clear()
    this.#notes = []
    this.#floor = Infinity
  }

  /** Returns a row of a table by its key. */
  row(table: KeptTable, key: string): object | undefined {
    return this.#rows.get(table)?.get(key)
  }

  /** Keeps rows of a table by their keys. */
  keep(table: KeptTable, rows: ReadonlyMap<string, object>): void {
    let kept = this.#rows.get(table)
    if (!kept) this.#rows.set(table, (kept = new Cache(MAX_ROWS)))
    for (const [key, row] of rows) kept.set(key, row)
  }

  /** Clears the rows of a table. */
  clear(table: KeptTable): void {
    this.#rows.get(table)?.clear()
  }

  /** Notes a key for a unit of the open batch. */
  note(key: string): void {
    this.#notes.at(-1)?.keys.add(key)
  }

  /** Returns whether it is certain that no unit noted a key since a position. */
  isUnnoted(key: string, since: Position): boolean {
    return since >= this.#floor && !this.#notes.some(({ end, keys }) => end > since && keys.has(key))
  }
}
