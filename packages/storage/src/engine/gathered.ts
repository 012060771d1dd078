// SPDX-License-Identifier: Apache-2.0
import type { Statement } from './statement.ts'

/** So many rows go into one statement at the most. Lengths are powers of two, so that few texts are prepared. */
const MOST_ROWS = 32

/**
 * The same statements in the same order, with rows that are inserted one after the other into the same columns in one
 * statement: that costs a server, and us, a fraction of a statement a row.
 */
export function gathered(statements: readonly Statement[]): Statement[] {
  const all: Statement[] = []
  for (let start = 0; start < statements.length; ) {
    const { sql, parameters } = statements[start] as Statement
    const build = manyRows(sql, parameters.length)
    let end = start + 1
    while (build && end < statements.length && end - start < MOST_ROWS && statements[end]?.sql === sql) end++
    const rows = 2 ** Math.floor(Math.log2(end - start))
    all.push(
      build && rows > 1
        ? { sql: build(rows), parameters: statements.slice(start, start + rows).flatMap((one) => one.parameters) }
        : { sql, parameters },
    )
    start += rows
  }
  return all
}

type Build = (rows: number) => string
const builds = new Map<string, Build | undefined>()

/** How an insert of one row is written for several; undefined for whatever else a statement is. */
function manyRows(sql: string, parameters: number): Build | undefined {
  if (builds.has(sql)) return builds.get(sql)
  const [, head] = /^(insert into "\w+" \([^()]*\) values )\((?:\$\d+(?:, )?)+\)$/.exec(sql) ?? []
  const texts = new Map<number, string>()
  const build: Build | undefined =
    head === undefined || sql !== `${head}${rowOf(0, parameters)}`
      ? undefined
      : (rows) => {
          let text = texts.get(rows)
          if (text === undefined) {
            const tuples = Array.from({ length: rows }, (_, row) => rowOf(row * parameters, parameters))
            texts.set(rows, (text = `${head}${tuples.join(', ')}`))
          }
          return text
        }
  // Texts with lists of varying length would otherwise pile up.
  if (builds.size >= 1000) builds.clear()
  builds.set(sql, build)
  return build
}

const rowOf = (before: number, count: number) =>
  `(${Array.from({ length: count }, (_, index) => `$${before + index + 1}`).join(', ')})`
