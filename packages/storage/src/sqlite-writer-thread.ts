// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from 'node:worker_threads'
import type { StatementSync } from 'node:sqlite'
import { connectSqlite } from './sqlite-connect.ts'
import type { WriteOrder, WriteOutcome } from './sqlite-writer.ts'

// Only ever a thread: see `SqliteWriter`.
const sqlite = connectSqlite(workerData as string)
const begin = sqlite.prepare('begin immediate')
const commit = sqlite.prepare('commit')
const readPosition = sqlite.prepare('select position from log')
const putPosition = sqlite.prepare('update log set position = ?')
const countChanges = sqlite.prepare('select total_changes() as changes')
const known: { readonly statement: StatementSync; readonly count: number }[] = []

parentPort?.on('message', (order: WriteOrder) => parentPort?.postMessage(outcomeOf(order)))

function outcomeOf(order: WriteOrder): WriteOutcome {
  try {
    for (const [sql, count] of order.fresh) known.push({ statement: sqlite.prepare(sql), count })
    begin.run()
    if (readPosition.get()?.['position'] !== order.start) throw new Error('the log was moved by somebody else')
    runAll(order)
    putPosition.run(order.position)
    commit.run()
    return countChanges.get() as { changes: number }
  } catch (cause) {
    if (sqlite.isTransaction) sqlite.exec('rollback')
    return { refused: cause }
  }
}

function runAll({ statements, values, bytes, lengths }: WriteOrder): void {
  let [at, part, offset] = [0, 0, 0]
  for (const number of statements) {
    const { statement, count } = known[number] as (typeof known)[number]
    const own = values.slice(at, (at += count))
    for (let index = 0; index < count; index++) {
      if (own[index] !== undefined) continue
      own[index] = bytes.subarray(offset, (offset += lengths[part++] ?? 0))
    }
    statement.run(...(own as never[]))
  }
}
