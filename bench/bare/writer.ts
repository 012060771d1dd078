// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

/** An event of the bare pipeline on its way to the disk. */
export interface Row {
  readonly id: string
  readonly json: string
  readonly depth: number
  readonly transaction: string
}

// One thread that writes what comes, in one transaction a message, and answers when the disk has it.
const db = new DatabaseSync(workerData as string)
db.exec(`pragma page_size = 8192; pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 16000;
create table events (nid integer primary key, id blob not null unique, depth integer not null, json blob not null);
create table transactions (key text primary key, event integer not null) without rowid;
create table log (position integer not null); insert into log values (0)`)
const putEvent = db.prepare('insert into events (id, depth, json) values (?, ?, ?)')
const putTransaction = db.prepare('insert into transactions (key, event) values (?, ?)')
const putPosition = db.prepare('update log set position = ?')

parentPort?.on('message', (rows: readonly Row[]) => {
  db.exec('begin immediate')
  let position = 0
  for (const { id, json, depth, transaction } of rows) {
    const { lastInsertRowid } = putEvent.run(Buffer.from(id.slice(1), 'base64url'), depth, Buffer.from(json))
    putTransaction.run(transaction, lastInsertRowid)
    position = Number(lastInsertRowid)
  }
  putPosition.run(position)
  db.exec('commit')
  parentPort?.postMessage(rows.length)
})
