// SPDX-License-Identifier: Apache-2.0
import type { QueryResult } from 'kysely'
import type pg from 'pg'
import { PostgresClient } from './client.ts'
import type { Statement } from './client.ts'

// The number of statements in flight on a connection before another one is opened: a slow one delays those behind it.
const SHARED = 8

/** The connections that reads go over. A statement goes to the one with the least under way. */
export class PostgresReaders {
  readonly #settings: pg.ConnectionConfig
  readonly #clients: PostgresClient[] = []
  readonly #most: number

  constructor(settings: pg.ConnectionConfig, most: number) {
    this.#settings = settings
    this.#most = Math.max(1, most)
  }

  /** Sends a statement. */
  query<Row>(statement: Statement): Promise<QueryResult<Row>> {
    return this.#leastBusy().query<Row>(statement)
  }

  #leastBusy(): PostgresClient {
    let best: PostgresClient | undefined
    for (const client of this.#clients) if (!best || client.inFlight < best.inFlight) best = client
    if (best && (best.inFlight < SHARED || this.#clients.length >= this.#most)) return best
    const opened = new PostgresClient(this.#settings, { connectsByItself: true })
    this.#clients.push(opened)
    return opened
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
  }
}
