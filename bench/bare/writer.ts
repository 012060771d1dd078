// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { migrations } from '@myelin/storage/schema/migrations/all'
import { statementsFor } from '@myelin/storage/schema/migrations/migration'

/** An event of the bare pipeline on its way to the disk. */
export interface Row {
  readonly id: string
  readonly json: string
  readonly depth: number
  /** The number of its sender, and what that one called the request. */
  readonly sender: number
  readonly transaction: string
}

/** The database file, and whether a row with all indexes is written as a real send does. */
export interface WriterOrder {
  readonly path: string
  readonly isWhole: boolean
}

// One thread that writes what comes, all that is there in one transaction, and answers when the disk has it.
const { path, isWhole } = workerData as WriterOrder
const db = new DatabaseSync(path)
db.exec(`pragma page_size = ${isWhole ? 4096 : 8192}; pragma journal_mode = wal`)
db.exec('pragma synchronous = full; pragma wal_autocheckpoint = 16000')
const put = isWhole ? wholeRows() : narrowRows()
const putPosition = db.prepare('update log set position = ?')
let position = 0

parentPort?.on('message', (rows: readonly Row[]) => {
  db.exec('begin immediate')
  for (const row of rows) put(row, ++position)
  putPosition.run(position)
  db.exec('commit')
  parentPort?.postMessage(rows.length)
})

function narrowRows(): (row: Row, nid: number) => void {
  db.exec(`create table events (nid integer primary key, id blob not null unique, depth integer not null, json blob not null);
create table transactions (key text primary key, event integer not null) without rowid;
create table log (position integer not null); insert into log values (0)`)
  const putEvent = db.prepare('insert into events (nid, id, depth, json) values (?, ?, ?, ?)')
  const putTransaction = db.prepare('insert into transactions (key, event) values (?, ?)')
  return ({ id, json, depth, sender, transaction }, nid) => {
    putEvent.run(nid, Buffer.from(id.slice(1), 'base64url'), depth, Buffer.from(json))
    putTransaction.run(`${sender} ${transaction}`, nid)
  }
}

function wholeRows(): (row: Row, nid: number) => void {
  const spelling = { id: 'integer', bytes: 'blob', compact: 'without rowid', features: ['virtual tables'] }
  for (const migration of migrations) for (const statement of statementsFor(migration, spelling)) db.exec(statement)
  const putEvent = db.prepare(`insert into events (event_nid, event_id, room_nid, position, depth, type, sender_nid,
    origin_server_ts, state_before, state_after, room_root, notifies, notified, status, txn_device, txn_id, pdu)
    values (?, ?, 1, ?, ?, 'm.room.message', ?, ?, 400, 400, 400, 1, ?, 0, 'BAREDEVICE', ?, ?)`)
  return ({ id, json, depth, sender, transaction }, nid) => {
    const bytes = Buffer.from(id.slice(1), 'base64url')
    putEvent.run(nid, bytes, nid, depth, sender, Date.now(), nid, transaction, Buffer.from(json))
  }
}
