// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { OtherNodes } from '../other-nodes.ts'

const CHANNEL = 'myelin_hints'
/** The maximum number of queued messages while the server is unreachable; then the oldest are lost. */
const MAX_MESSAGES = 1000
/** The server refuses payloads of 8,000 bytes, and with one all that goes with it. */
const MAX_MESSAGE_BYTES = 4000

/**
 * Tells the other nodes that something moved, on a connection of its own; what moved they read from the log. What is in no
 * log goes along.
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
  #messages: string[] = []
  readonly #listeners = new Set<(message: string) => void>()
  /** Messages that are not read from the log: they may be lost. */
  readonly others: OtherNodes = {
    tell: (message) => this.#tellMessage(message),
    listen: (heard) => {
      this.#listeners.add(heard)
      return () => this.#listeners.delete(heard)
    },
  }

  constructor(settings: pg.ConnectionConfig, heard: () => void) {
    this.#settings = settings
    this.#heard = heard
  }

  /** Listens for hints, if that is not done yet; returns whether it was not. */
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
    client.on('notification', ({ payload = '' }) => this.#hear(payload))
    await client.connect()
    await client.query(`listen ${CHANNEL}`)
    this.#client = client
  }

  /** A node's name is a hint; what follows it is a message. */
  #hear(payload: string): void {
    if (payload.startsWith(this.#node)) return
    const message = payload.slice(this.#node.length)
    if (message === '') this.#heard()
    else for (const listener of this.#listeners) listener(message)
  }

  #tellMessage(message: string): void {
    const isTellable = message !== '' && !message.includes('\0') && Buffer.byteLength(message) <= MAX_MESSAGE_BYTES
    if (!isTellable) return
    this.#messages.push(message)
    if (this.#messages.length > MAX_MESSAGES) this.#messages.shift()
    if (!this.#isTelling) void this.#tellAll()
  }

  /** Tells the other nodes; returns at once. */
  tell(): void {
    this.#isDue = true
    if (!this.#isTelling) void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true
    try {
      while ((this.#isDue || this.#messages.length > 0) && !this.#isClosed) {
        const payloads = [...(this.#isDue ? [''] : []), ...this.#messages].map((message) => this.#node + message)
        this.#isDue = false
        this.#messages = []
        await this.listen()
        await this.#client?.query('select pg_notify($1, each) from unnest($2::text[]) as each', [CHANNEL, payloads])
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
