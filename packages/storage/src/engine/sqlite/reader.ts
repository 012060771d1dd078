// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { DatabaseRefused, refusedAsEarlier } from '../../schema/migrations/pending.ts'
import type { Tables } from '../../schema/schema.ts'
import { Caches } from '../caches.ts'
import type { OpenReader, Reader } from '../reader.ts'
import { unknownTopicPositions } from '../topic-positions.ts'
import { connectSqlite } from './connect.ts'
import { sqliteDialect, SqliteConnection } from './dialect.ts'
import { checkSqliteFile } from './migrate.ts'
import { sqliteSearch } from './search.ts'

/**
 * Opens the current state of a database file for reading, beside the process that writes it.
 *
 * @throws {DatabaseRefused} if the file does not exist, or its schema is not that of this version.
 */
export function readSqlite(path: string): Reader {
  if (!existsSync(path)) throw new DatabaseRefused(`there is no database ${path}; correct the path`)
  if (checkSqliteFile(path) > 0) throw refusedAsEarlier()
  const sqlite = new DatabaseSync(path)
  sqlite.exec('pragma query_only = 1; pragma busy_timeout = 5000; begin')
  return readerOver(sqlite)
}

/**
 * Opens a reader for another thread. Each statement reads the last commit, even while its sync is in progress.
 *
 * @public `engine/reader.ts` imports this module by name
 */
export const openReader: OpenReader = (settings) => {
  const sqlite = connectSqlite(settings as string)
  // The cache is small, because callers cache rows themselves.
  sqlite.exec('pragma cache_size = -8192')
  return readerOver(sqlite)
}

function readerOver(sqlite: DatabaseSync): Reader {
  const connection = new SqliteConnection(sqlite)
  const read = Object.assign(new Kysely<Tables>({ dialect: sqliteDialect(connection) }), {
    caches: new Caches(),
    topicPositions: unknownTopicPositions,
    dialect: 'sqlite',
    search: sqliteSearch,
    run: async <Row>(sql: string, parameters: readonly unknown[]) =>
      (await connection.query<Row>(sql, parameters)).rows,
  })
  return { read, close: async () => sqlite.close() }
}
