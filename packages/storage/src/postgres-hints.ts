// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import pg from 'pg'

const CHANNEL = 'myelin_hints'

/**
 * Tells the other nodes that something moved, on a connection of its own; what moved they read from the log.
 *
 * Told after the commit and one at a time, so that commits which gather meanwhile are one hint: a notification inside
 * a transaction would take a lock over the whole database at commit. A lost hint costs latency, never correctness.
 */
export class PostgresHints {
  readonly #settings: pg.ConnectionConfig
  readonly #heard: () => void
  readonly #node = randomUUID()
  #client: pg.Client | undefined
  #connecting: Promise<void> | undefined
  #isDue = false
  #isTelling = false
  #isClosed = false

  constructor(settings: pg.ConnectionConfig, heard: () => void) {
    this.#settings = settings
    this.#heard = heard
  }

  /** Makes sure that somebody listens; answers whether nobody did. */
  async listen(): Promise<boolean> {
    if (this.#client || this.#isClosed) return false
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined))
    await this.#connecting
    return true
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(this.#settings)
    const forget = () => {
      if (this.#client === client) this.#client = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    client.on('notification', ({ payload }) => {
      if (payload !== this.#node) this.#heard()
    })
    await client.connect()
    await client.query(`listen ${CHANNEL}`)
    this.#client = client
  }

  /** Tells the other nodes; returns at once. */
  tell(): void {
    this.#isDue = true
    if (!this.#isTelling) void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true
    try {
      while (this.#isDue && !this.#isClosed) {
        this.#isDue = false
        await this.listen()
        await this.#client?.query('select pg_notify($1, $2)', [CHANNEL, this.#node])
      }
    } catch {
      // The others look once a second anyway; the next commit tries again.
    } finally {
      this.#isTelling = false
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client?.end()
  }
}
