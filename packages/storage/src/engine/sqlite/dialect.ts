// SPDX-License-Identifier: Apache-2.0
import { pause, spend } from '@myelin/kit/turn'
import { CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, ValueNode } from 'kysely'
import type { DatabaseConnection, Dialect, LimitNode, QueryResult } from 'kysely'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { SingleConnectionDriver } from '../single-connection-driver.ts'
import { sqliteFailure } from './outage.ts'

/** The estimated costs of a statement, and of a row that it returns. */
const STATEMENT_COST_US = 20
const ROW_COST_US = 1

/** Returns a Kysely dialect over one connection of `node:sqlite` that prepares each text once. */
export function sqliteDialect(connection: DatabaseConnection): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SingleConnectionDriver(connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new QueryCompiler(),
  }
}

/**
 * Writes limits in a form that SQLite does not inspect. It prepares a statement again, often for more than its execution
 * costs, whenever the value bound to a bare `limit ?` may have changed.
 */
class QueryCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    this.append('limit ')
    const value = ValueNode.is(node.limit) ? node.limit.value : undefined
    if (typeof value === 'number' && Number.isSafeInteger(value)) return this.append(String(value))
    this.visitNode(node.limit)
    this.append(' + 0')
  }
}

type Prepared = { readonly statement: StatementSync; readonly returnsRows: boolean }

/** One connection with its prepared statements, kept by text. */
export class SqliteConnection implements DatabaseConnection {
  readonly #sqlite: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor(sqlite: DatabaseSync) {
    this.#sqlite = sqlite
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.query<R>(query.sql, query.parameters)
  }

  /** Runs one statement in this turn of the event loop, or in the next one if this turn has used its budget. */
  async query<R>(text: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    // All that waited for the next turn find it full after the first of them.
    for (let pausing = pause(); pausing; pausing = pause()) await pausing
    const result = this.run<R>(text, parameters)
    spend(STATEMENT_COST_US + result.rows.length * ROW_COST_US)
    return result
  }

  /** Runs one statement at once. Throws a `DatabaseUnavailable` if the file is locked or the disk fails. */
  run<R>(text: string, parameters: readonly unknown[] = []): QueryResult<R> {
    try {
      const { statement, returnsRows } = this.#prepare(text)
      const values = parameters as never[]
      if (returnsRows) return { rows: statement.all(...values) as R[] }
      const { changes } = statement.run(...values)
      return { rows: [], numAffectedRows: BigInt(changes) }
    } catch (cause) {
      throw sqliteFailure(cause)
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    const { statement } = this.#prepare(query.sql)
    for (const row of statement.iterate(...(query.parameters as never[]))) yield { rows: [row as R] }
  }

  #prepare(text: string): Prepared {
    let prepared = this.#prepared.get(text)
    if (!prepared) {
      const statement = this.#sqlite.prepare(text)
      prepared = { statement, returnsRows: statement.columns().length > 0 }
      // Bounds the memory of texts with lists of varying length.
      if (this.#prepared.size >= 1000) this.#prepared.delete(this.#prepared.keys().next().value ?? '')
      this.#prepared.set(text, prepared)
    }
    return prepared
  }
}
