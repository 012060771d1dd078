// SPDX-License-Identifier: Apache-2.0
import { fdatasyncSync } from 'node:fs'
import type { StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { crashPoint } from '@myelin/kit/crash-point'
import { connectSqlite } from './connect.ts'
import { sqliteOutage } from './outage.ts'
import type { WriteOrder, WriteOutcome, WriterFiles } from './writer.ts'

// This file runs only as a thread of `SqliteWriter`.
const { path, logFile } = workerData as WriterFiles
const sqlite = connectSqlite(path)
const begin = sqlite.prepare('begin immediate')
const commit = sqlite.prepare('commit')
const readPosition = sqlite.prepare('select position from log')
const putPosition = sqlite.prepare('update log set position = ?')
const countChanges = sqlite.prepare('select total_changes() as changes')
const known: { readonly statement: StatementSync; readonly count: number }[] = []

parentPort?.on('message', (order: WriteOrder) => parentPort?.postMessage(outcomeOf(order)))
parentPort?.postMessage({ ready: true } satisfies WriteOutcome)

function outcomeOf(order: WriteOrder): WriteOutcome {
  try {
    for (const [sql, count] of order.fresh) known.push({ statement: sqlite.prepare(sql), count })
    begin.run()
    if (readPosition.get()?.['position'] !== order.start)
      throw new Error('another process wrote to the database; stop it, or give each server a database of its own')
    runAll(order)
    putPosition.run(order.position)
    commit.run()
  } catch (cause) {
    if (sqlite.isTransaction) sqlite.exec('rollback')
    return { refused: cause, outage: sqliteOutage(cause) }
  }
  crashPoint('committed')
  try {
    fdatasyncSync(logFile)
    return countChanges.get() as { changes: number }
  } catch (cause) {
    return { lost: cause }
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
