// SPDX-License-Identifier: Apache-2.0
import { dropUnusedConnections } from '@myelin/storage/accounts/sliding-connections'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'

const silent = { committed: () => {} }
const MOST = 1000

/**
 * Drops the connections of sliding sync from the database of a server that does not run, as if they had expired.
 * `database` is the path of a file, or the URL of a PostgreSQL database. Returns their number.
 */
export async function forgetSlidingConnections(database: string): Promise<number> {
  const db = database.startsWith('postgres:')
    ? await openPostgres({ connectionString: database, maxReaders: 1 }, silent)
    : await openSqlite(database, silent)
  try {
    return await db.write((tx) => dropUnusedConnections(tx, Number.MAX_SAFE_INTEGER, MOST))
  } finally {
    await db.close()
  }
}
