// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { CommitHint } from './database.ts'

const CHANNEL = 'myelin_hints'
// A payload must stay below 8000 bytes.
const MAX_PAYLOAD_BYTES = 7000

/** The topic that stands for all of them, where the list would be too long. */
export const EVERY_TOPIC = '*'

/**
 * Carries hints between nodes, on a connection of its own.
 *
 * Told after the commit and one at a time, so that what gathers meanwhile travels together: a notification inside
 * a transaction would take a lock over the whole database at commit. A lost hint costs latency, never correctness.
 */
export class PostgresHints {
  readonly #settings: pg.ConnectionConfig
  readonly #heard: (hint: CommitHint) => void
  readonly #node = randomUUID()
  #client: pg.Client | undefined
  #waiting: { position: number; topics: Set<string> } | undefined
  #isTelling = false
  #isClosed = false

  constructor(settings: pg.ConnectionConfig, heard: (hint: CommitHint) => void) {
    this.#settings = settings
    this.#heard = heard
  }

  /** Connects and listens; called again by itself when the connection breaks. */
  async listen(): Promise<void> {
    const client = new pg.Client(this.#settings)
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    client.on('notification', ({ payload }) => this.#receive(payload ?? ''))
    await client.connect()
    await client.query(`listen ${CHANNEL}`)
    this.#client = client
  }

  /** Tells the other nodes; returns at once. */
  tell(hint: CommitHint): void {
    this.#waiting ??= { position: 0, topics: new Set() }
    this.#waiting.position = Math.max(this.#waiting.position, hint.position)
    for (const topic of hint.topics) this.#waiting.topics.add(topic)
    if (!this.#isTelling) void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true
    try {
      while (this.#waiting && !this.#isClosed) {
        const { position, topics } = this.#waiting
        this.#waiting = undefined
        if (!this.#client) await this.listen()
        const payload = JSON.stringify([this.#node, position, [...topics]])
        const fits = Buffer.byteLength(payload) <= MAX_PAYLOAD_BYTES
        await this.#client?.query('select pg_notify($1, $2)', [
          CHANNEL,
          fits ? payload : JSON.stringify([this.#node, position, [EVERY_TOPIC]]),
        ])
      }
    } catch {
      // The others look once a second anyway; the next commit tries again.
    } finally {
      this.#isTelling = false
    }
  }

  #receive(payload: string): void {
    const [node, position, topics] = JSON.parse(payload) as [string, number, string[]]
    if (node !== this.#node) this.#heard({ position, topics: new Set(topics) })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client?.end()
  }
}
