// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeInserts } from './merged-inserts.ts'
import type { Statement } from './statement.ts'

const insertHead = 'insert into "settings" ("name", "value") values '
const target = { table: 'settings', columns: ['name', 'value'], insertHead } as const
const insert = (...parameters: unknown[]): Statement => ({ sql: `${insertHead}($1, $2)`, parameters, target })
const update: Statement = {
  sql: 'update "settings" set "value" = $1',
  parameters: ['x'],
  target: { table: 'settings', columns: ['value'] },
}

test('rows that follow each other go into one statement', () => {
  assert.deepEqual(mergeInserts([insert('a', 1), insert('b', 2)]), [
    {
      sql: 'insert into "settings" ("name", "value") values ($1, $2), ($3, $4)',
      parameters: ['a', 1, 'b', 2],
      target,
    },
  ])
})

test('the order of statements is kept', () => {
  const statements = [update, insert('a', 1), update, insert('b', 2), insert('c', 3), insert('d', 4), update]
  const all = mergeInserts(statements)
  assert.deepEqual(
    all.map(({ parameters }) => parameters),
    [['x'], ['a', 1], ['x'], ['b', 2, 'c', 3], ['d', 4], ['x']],
  )
  assert.deepEqual(all[0], update)
})

test('long runs go into few lengths of statement, and no row is lost', () => {
  const rows = Array.from({ length: 100 }, (_, index) => insert(index, -index))
  const all = mergeInserts(rows)
  assert.deepEqual(
    all.map(({ parameters }) => parameters.length / 2),
    [32, 32, 32, 4],
  )
  assert.deepEqual(
    all.flatMap(({ parameters }) => parameters),
    rows.flatMap(({ parameters }) => parameters),
  )
})

test('statements other than an insert of one row are not merged', () => {
  const other: Statement = {
    sql: `${insertHead}($1, $2) on conflict do nothing`,
    parameters: ['a', 1],
    target: { table: 'settings', columns: ['name', 'value'] },
  }
  assert.deepEqual(mergeInserts([other, other]), [other, other])
})
