// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import type { OtherNodes } from '../other-nodes.ts'
import { PostgresClient } from './client.ts'
import type { ConnectionSettings } from './client.ts'

const CHANNEL = 'myelin_hints'
const NOTIFY = 'select pg_notify($1, each) from unnest($2::text[]) as each'
/** The maximum number of queued messages while the server is unreachable; then the oldest are lost. */
const MAX_MESSAGES = 1000
/** The server refuses payloads of 8,000 bytes, and with one all that goes with it. */
const MAX_MESSAGE_BYTES = 4000

/**
 * Announces commits to the other nodes, on a connection of its own; they read the changes from the log. Messages that are
 * in no log use the same connection.
 *
 * Hints are sent after the commit and one at a time, so commits that gather meanwhile share one hint. A notification
 * inside a transaction would take a lock over the whole database at commit. A lost hint costs latency, never correctness.
 */
export class PostgresHints {
  readonly #node = randomUUID()
  readonly #client: PostgresClient
  readonly #onHint: () => void
  #isDue = false
  #isSending = false
  #isClosed = false
  #messages: string[] = []
  readonly #listeners = new Set<(message: string) => void>()
  /** Messages that are in no log: they may be lost. */
  readonly others: OtherNodes = {
    send: (message) => this.#queue(message),
    listen: (onMessage) => {
      this.#listeners.add(onMessage)
      return () => this.#listeners.delete(onMessage)
    },
  }

  constructor(settings: ConnectionSettings, onHint: () => void) {
    this.#onHint = onHint
    this.#client = new PostgresClient(settings, {
      connectsByItself: true,
      opening: `listen ${CHANNEL}`,
      onNotification: (payload) => this.#receive(payload),
    })
  }

  /** Listens for hints, if that is not done yet. */
  async listen(): Promise<void> {
    if (!this.#isClosed) await this.#client.connect()
  }

  /** Sends a query, because a lost network closes no idle connection. */
  ask(): void {
    this.#client.ask()
  }

  /** Handles a notification: the name of a node, a hint, or the name and a message. */
  #receive(payload: string): void {
    if (payload.startsWith(this.#node)) return
    const message = payload.slice(this.#node.length)
    if (message === '') this.#onHint()
    else for (const listener of this.#listeners) listener(message)
  }

  #queue(message: string): void {
    const isSendable = message !== '' && !message.includes('\0') && Buffer.byteLength(message) <= MAX_MESSAGE_BYTES
    if (!isSendable) return
    this.#messages.push(message)
    if (this.#messages.length > MAX_MESSAGES) this.#messages.shift()
    if (!this.#isSending) void this.#sendAll()
  }

  /** Announces a commit to the other nodes; returns at once. */
  announce(): void {
    this.#isDue = true
    if (!this.#isSending) void this.#sendAll()
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    try {
      while ((this.#isDue || this.#messages.length > 0) && !this.#isClosed) {
        const payloads = [...(this.#isDue ? [''] : []), ...this.#messages].map((message) => this.#node + message)
        this.#isDue = false
        this.#messages = []
        await this.#client.query({ text: NOTIFY, values: [CHANNEL, payloads] })
      }
    } catch {
      // The other nodes poll once a second; the next commit tries again.
    } finally {
      this.#isSending = false
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client.close()
  }
}
