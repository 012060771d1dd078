// SPDX-License-Identifier: Apache-2.0
import type { CompiledQuery, Compilable } from 'kysely'
import type { Read, Tx } from './database.ts'
import type { Tables } from '../schema/schema.ts'
import type { Statement } from './statement.ts'

/** One for all: a statement is sent, not waited for, and a promise each would cost more than the sending. */
const sent = Promise.resolve()

/** Stands where a value will be. */
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

/** Like {@link prepared}, for a statement that writes; its values go by name. It is not sent. */
export function preparedStatement<Values>(
  names: readonly (keyof Values & string)[],
  build: (tx: Pick<Tx, 'insertInto' | 'updateTable' | 'deleteFrom'>, values: Values) => Compilable,
): (tx: Pick<Tx, 'dialect' | 'insertInto' | 'updateTable' | 'deleteFrom'>, values: Values) => Statement {
  const plans = new Map<string, Plan>()
  return (tx, values) => {
    let plan = plans.get(tx.dialect)
    if (!plan) {
      const slots = Object.fromEntries(names.map((name, index) => [name, new Slot(index)]))
      plan = planOf(build(tx, slots as unknown as Values).compile())
      plans.set(tx.dialect, plan)
    }
    const parameters = filled(plan, (index) => values[names[index] as keyof Values])
    return { sql: plan.sql, parameters }
  }
}

/** The same, and sends it. */
export function preparedWrite<Values>(
  names: readonly (keyof Values & string)[],
  build: (tx: Pick<Tx, 'insertInto' | 'updateTable' | 'deleteFrom'>, values: Values) => Compilable,
): (tx: Tx, values: Values) => Promise<void> {
  const statement = preparedStatement(names, build)
  return (tx, values) => {
    const { sql, parameters } = statement(tx, values)
    tx.send(sql, parameters)
    return sent
  }
}

const inserts = new Map<string, { readonly sql: string; readonly columns: readonly string[] }>()

/** Inserts one whole row; the statement is built once per engine and table. */
export function insertRow<Table extends keyof Tables>(tx: Tx, table: Table, row: Tables[Table]): Promise<void> {
  const key = `${tx.dialect} ${table}`
  let plan = inserts.get(key)
  if (!plan) {
    plan = {
      sql: tx
        .insertInto(table)
        .values(row as never)
        .compile().sql,
      columns: Object.keys(row),
    }
    inserts.set(key, plan)
  }
  const values = row as Readonly<Record<string, unknown>>
  tx.send(
    plan.sql,
    plan.columns.map((column) => values[column]),
  )
  return sent
}

/** So many rows go into one statement. */
const ROWS = 64

/** Inserts many whole rows, a statement for every 64 of them. All have the same columns. */
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
    if (!plan) {
      const { sql } = tx
        .insertInto(table)
        .values(chunk as never)
        .compile()
      plan = { sql, columns: Object.keys(chunk[0] ?? {}) }
      inserts.set(key, plan)
    }
    const { sql, columns } = plan
    tx.send(
      sql,
      chunk.flatMap((row) => columns.map((column) => (row as Readonly<Record<string, unknown>>)[column])),
    )
  }
  for (const row of rows.slice(whole)) await insertRow(tx, table, row)
}

/**
 * A query that is built and compiled once per engine; each call only puts its values in. For the hottest paths, where
 * building the query would cost more than running it.
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

/** So many values go into one statement. */
const LONGEST_LIST = 512

/**
 * Like {@link prepared}, for a query over a list of values, each asked for once, in statements of a few lengths: a list
 * is filled up to the next power of two with its last value.
 */
export function preparedList<Value, Row>(
  build: (db: Read, list: readonly Value[]) => Compilable<Row>,
): (db: Read, list: Iterable<Value>) => Promise<readonly Row[]> {
  const plans = new Map<string, Plan>()
  return async (db, list) => {
    const values = [...new Set(list)]
    const answers: Promise<readonly Row[]>[] = []
    for (let start = 0; start < values.length; start += LONGEST_LIST) {
      const last = Math.min(values.length, start + LONGEST_LIST) - 1
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

function filled(plan: Plan, valueOf: (index: number) => unknown): unknown[] {
  const parameters = plan.fixed.slice()
  for (const [at, index] of plan.slots) parameters[at] = valueOf(index)
  return parameters
}
