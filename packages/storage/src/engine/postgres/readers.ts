// SPDX-License-Identifier: Apache-2.0
import type { QueryResult } from 'kysely'
import { PostgresClient } from './client.ts'
import type { ConnectionSettings, Statement } from './client.ts'

// The number of pending statements on a connection before another one is opened: a slow statement delays later ones.
const SHARED = 8

/** The reading connections. A statement uses the connection with the fewest pending statements. */
export class PostgresReaders {
  readonly #settings: ConnectionSettings
  readonly #clients: PostgresClient[] = []
  readonly #most: number
  readonly #fellSilent: () => void

  /** `fellSilent` is called after a connection was closed because the server was silent. */
  constructor(settings: ConnectionSettings, most: number, fellSilent: () => void = () => {}) {
    this.#settings = settings
    this.#fellSilent = fellSilent
    this.#most = Math.max(1, most)
  }

  /** Sends a statement. */
  query<Row>(statement: Statement): Promise<QueryResult<Row>> {
    return this.#leastBusy().query<Row>(statement)
  }

  /** Sends a query over every idle connection. */
  ask(): void {
    for (const client of this.#clients) client.ask()
  }

  #leastBusy(): PostgresClient {
    let best: PostgresClient | undefined
    for (const client of this.#clients) if (!best || client.inFlight < best.inFlight) best = client
    if (best && (best.inFlight < SHARED || this.#clients.length >= this.#most)) return best
    const opened = new PostgresClient(this.#settings, { connectsByItself: true, fellSilent: this.#fellSilent })
    this.#clients.push(opened)
    return opened
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
  }
}
