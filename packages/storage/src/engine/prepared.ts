// SPDX-License-Identifier: Apache-2.0
import type { CompiledQuery, Compilable } from 'kysely'
import type { Read, Tx } from './database.ts'
import type { StatementBuilder } from './known-rows.ts'
import type { Tables } from '../schema/schema.ts'
import { tableWrittenBy } from './statement.ts'
import type { Statement, WriteTarget } from './statement.ts'

/** The promise of all sent statements. One promise each would cost more than the sending. */
const sent = Promise.resolve()

/** A placeholder of a value. */
class Slot {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}

type Plan = {
  readonly sql: string
  readonly fixed: readonly unknown[]
  readonly slots: readonly (readonly [at: number, index: number])[]
}

/** Returns a builder of a prepared statement that writes; values are named by their columns. It does not send the statement. */
export function preparedStatement<Values>(
  names: readonly (keyof Values & string)[],
  build: (builder: StatementBuilder, values: Values) => Compilable,
): (builder: StatementBuilder, values: Values) => Statement {
  const plans = new Map<string, Plan & { readonly target: WriteTarget }>()
  return (tx, values) => {
    let plan = plans.get(tx.dialect)
    if (!plan) {
      const slots = Object.fromEntries(names.map((name, index) => [name, new Slot(index)]))
      plan = writePlanOf(build(tx, slots as unknown as Values).compile(), names)
      plans.set(tx.dialect, plan)
    }
    const parameters = filled(plan, (index) => values[names[index] as keyof Values])
    return { sql: plan.sql, parameters, target: plan.target }
  }
}

/** A statement that inserts whole rows into a table; built once per engine, table and number of rows. */
interface InsertPlan {
  readonly sql: string
  readonly target: WriteTarget
  readonly columns: readonly string[]
}

const inserts = new Map<string, InsertPlan>()

/** Inserts one whole row; the statement is built once per engine and table. */
export function insertRow<Table extends keyof Tables>(tx: Tx, table: Table, row: Tables[Table]): Promise<void> {
  const key = `${tx.dialect} ${table}`
  let plan = inserts.get(key)
  if (!plan) inserts.set(key, (plan = insertPlan(tx, table, [row])))
  const values = row as Readonly<Record<string, unknown>>
  const parameters = plan.columns.map((column) => values[column])
  return tx.send({ sql: plan.sql, parameters, target: plan.target }) ?? sent
}

/** The number of rows in one statement. */
const ROWS = 64

/** Inserts whole rows of the same columns, 64 rows in a statement. */
export async function insertRows<Table extends keyof Tables>(
  tx: Tx,
  table: Table,
  rows: readonly Tables[Table][],
): Promise<void> {
  const key = `${tx.dialect} ${table} ${ROWS}`
  const whole = rows.length - (rows.length % ROWS)
  for (let start = 0; start < whole; start += ROWS) {
    const chunk = rows.slice(start, start + ROWS)
    let plan = inserts.get(key)
    if (!plan) inserts.set(key, (plan = insertPlan(tx, table, chunk)))
    const { sql, columns, target } = plan
    const parameters = chunk.flatMap((row) =>
      columns.map((column) => (row as Readonly<Record<string, unknown>>)[column]),
    )
    await tx.send({ sql, parameters, target })
  }
  for (const row of rows.slice(whole)) await insertRow(tx, table, row)
}

function insertPlan<Table extends keyof Tables>(tx: Tx, table: Table, rows: readonly Tables[Table][]): InsertPlan {
  const { sql } = tx
    .insertInto(table)
    .values(rows as never)
    .compile()
  const columns = Object.keys(rows[0] ?? {})
  // Only the values stand behind the last bracket.
  const insertHead = sql.slice(0, sql.lastIndexOf('('))
  const target = rows.length > 1 ? { table, columns: rows.flatMap(() => columns) } : { table, columns, insertHead }
  return { sql, columns, target }
}

/**
 * Returns a query that is built and compiled once per engine; each call only binds its values. It is for hot paths, where
 * building a query costs more than running it.
 *
 * The values must be scalars that the query passes on as they are: no lists, no conditions that depend on them.
 */
export function prepared<Values extends readonly unknown[], Row>(
  build: (db: Read, ...values: Values) => Compilable<Row>,
): (db: Read, ...values: Values) => Promise<readonly Row[]> {
  const plans = new Map<string, Plan>()
  return (db, ...values) => {
    let plan = plans.get(db.dialect)
    if (!plan) {
      const slots = Array.from({ length: build.length - 1 }, (_, index) => new Slot(index))
      plan = planOf(build(db, ...(slots as unknown as Values)).compile())
      plans.set(db.dialect, plan)
    }
    return db.run<Row>(
      plan.sql,
      filled(plan, (index) => values[index]),
    )
  }
}

/** The maximum number of values in one statement. */
const MAX_LIST_LENGTH = 512

/**
 * Returns a prepared query over a list of values. Duplicate values are dropped. The list is padded with its last value to
 * the next power of two, so that few texts are prepared. See {@link prepared}.
 */
export function preparedList<Value, Row>(
  build: (db: Read, list: readonly Value[]) => Compilable<Row>,
): (db: Read, list: Iterable<Value>) => Promise<readonly Row[]> {
  const plans = new Map<string, Plan>()
  return async (db, list) => {
    const values = [...new Set(list)]
    const answers: Promise<readonly Row[]>[] = []
    for (let start = 0; start < values.length; start += MAX_LIST_LENGTH) {
      const last = Math.min(values.length, start + MAX_LIST_LENGTH) - 1
      const length = 2 ** Math.ceil(Math.log2(last - start + 1))
      const name = `${db.dialect} ${length}`
      let plan = plans.get(name)
      if (!plan) {
        const slots = Array.from({ length }, (_, index) => new Slot(index))
        plan = planOf(build(db, slots as unknown as readonly Value[]).compile())
        plans.set(name, plan)
      }
      const parameters = filled(plan, (index) => values[Math.min(start + index, last)])
      answers.push(db.run<Row>(plan.sql, parameters))
    }
    const [only, ...others] = await Promise.all(answers)
    return others.length === 0 ? (only ?? []) : [...(only ?? []), ...others.flat()]
  }
}

function planOf({ sql, parameters }: CompiledQuery): Plan {
  const slots = parameters.flatMap((value, at) => (value instanceof Slot ? [[at, value.index] as const] : []))
  return { sql, fixed: parameters, slots }
}

function writePlanOf(query: CompiledQuery, names: readonly string[]): Plan & { readonly target: WriteTarget } {
  const table = tableWrittenBy(query.query)
  if (table === undefined) throw new Error('a prepared statement must write a table')
  const columns = query.parameters.map((value) => (value instanceof Slot ? names[value.index] : undefined))
  return { ...planOf(query), target: { table, columns } }
}

function filled(plan: Plan, valueOf: (index: number) => unknown): unknown[] {
  const parameters = plan.fixed.slice()
  for (const [at, index] of plan.slots) parameters[at] = valueOf(index)
  return parameters
}
