// SPDX-License-Identifier: Apache-2.0
import type { Statement, WriteTarget } from './statement.ts'

/** The maximum number of rows in one statement. Row counts are powers of two, so that few texts are prepared. */
const MAX_ROWS = 32

/**
 * Returns the same statements in the same order, with consecutive inserts into the same columns merged into one statement,
 * which costs a fraction of one statement per row.
 */
export function mergeInserts(statements: readonly Statement[]): Statement[] {
  const all: Statement[] = []
  for (let start = 0; start < statements.length; ) {
    const first = statements[start] as Statement
    let end = start + 1
    if (first.target.insertHead !== undefined)
      while (end < statements.length && end - start < MAX_ROWS && statements[end]?.sql === first.sql) end++
    const rows = 2 ** Math.floor(Math.log2(end - start))
    all.push(rows > 1 ? insertOf(first.target, statements.slice(start, start + rows)) : first)
    start += rows
  }
  return all
}

function insertOf(target: WriteTarget, rows: readonly Statement[]): Statement {
  return { sql: manyRows(target, rows.length), parameters: rows.flatMap(({ parameters }) => parameters), target }
}

const texts = new WeakMap<WriteTarget, Map<number, string>>()

/** Returns the text of an insert of several rows. */
function manyRows(target: WriteTarget, rows: number): string {
  let byRows = texts.get(target)
  if (!byRows) texts.set(target, (byRows = new Map()))
  let text = byRows.get(rows)
  if (text === undefined) {
    const count = target.columns.length
    const tuples = Array.from({ length: rows }, (_, row) => placeholders(row * count, count))
    byRows.set(rows, (text = `${target.insertHead}${tuples.join(', ')}`))
  }
  return text
}

const placeholders = (before: number, count: number) =>
  `(${Array.from({ length: count }, (_, index) => `$${before + index + 1}`).join(', ')})`
