// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { OtherNodes } from '../other-nodes.ts'
import { PostgresClient } from './client.ts'
import type { ConnectionSettings } from './client.ts'

const CHANNEL = 'myelin_hints'
const TELL = 'select pg_notify($1, each) from unnest($2::text[]) as each'
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
  readonly #node = randomUUID()
  readonly #client: PostgresClient
  readonly #heard: () => void
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

  constructor(settings: ConnectionSettings, heard: () => void) {
    this.#heard = heard
    this.#client = new PostgresClient(settings, {
      connectsByItself: true,
      opening: `listen ${CHANNEL}`,
      heard: (payload) => this.#hear(payload),
    })
  }

  /** Listens for hints, if that is not done yet. */
  async listen(): Promise<void> {
    if (!this.#isClosed) await this.#client.connect()
  }

  /** Asks for a sign of life. A lost network ends no connection over which nothing is sent. */
  ask(): void {
    this.#client.ask()
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
        await this.#client.query({ text: TELL, values: [CHANNEL, payloads] })
      }
    } catch {
      // The others look once a second anyway; the next commit tries again.
    } finally {
      this.#isTelling = false
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client.close()
  }
}
