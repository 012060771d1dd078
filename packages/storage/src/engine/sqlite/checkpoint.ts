// SPDX-License-Identifier: Apache-2.0
import { crashPoint } from '@myelin/kit/crash-point'
import { DatabaseSync } from 'node:sqlite'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

/** Copies the write-ahead log into the database file, on its own thread, beside readers and the writer. */
export function checkpointInBackground(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { checkpoint: path } })
    worker.once('error', reject)
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`checkpoint thread exited with code ${code}`)),
    )
  })
}

const order = workerData as { readonly checkpoint?: string } | null
if (!isMainThread && order?.checkpoint !== undefined) {
  const sqlite = new DatabaseSync(order.checkpoint)
  sqlite.exec('pragma synchronous = normal; pragma busy_timeout = 5000; pragma wal_checkpoint(passive)')
  crashPoint('log copied')
  sqlite.close()
}
