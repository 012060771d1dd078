// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite'

/** Opens a database file in WAL mode; commits do not sync, and there are no automatic checkpoints. */
export function connectSqlite(path: string): DatabaseSync {
  const sqlite = new DatabaseSync(path)
  sqlite.exec(
    'pragma page_size = 4096; pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000',
  )
  sqlite.exec(
    'pragma wal_autocheckpoint = 0; pragma cache_size = -65536; pragma temp_store = memory; pragma foreign_keys = off',
  )
  return sqlite
}
