// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { Socket } from 'node:net'
import { systemClock } from '@myelin/kit/clock'
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { CompiledQuery, Dialect, QueryResult } from 'kysely'
import pg from 'pg'
import { asConnection, SingleConnectionDriver } from '../single-connection-driver.ts'
import { DatabaseUnavailable } from '../unavailable.ts'
import { postgresFailure } from './outage.ts'
import { SilenceWatch } from './silence-watch.ts'
import { encodeText, decodeText } from './text.ts'

/**
 * The default of `answerMs`, in milliseconds. Without a bound, a hanging machine delays a statement for ever, and a network
 * that drops packets for the 15 minutes of TCP's timeout.
 */
export const ANSWER_MS = 10_000
// The transaction of a hanging node locks the log, and all other nodes wait for it.
const IDLE_TRANSACTION_MS = 15_000
const CLOSE_MS = 1000

const INT8 = 20
const TEXT = 25
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ((value: string) => unknown) => {
    if (oid === INT8) return Number
    return oid === TEXT ? decodeText : (pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown)
  },
}

/** The address of the server, and timeouts. */
export interface ConnectionSettings extends pg.ConnectionConfig {
  /** The timeout of connecting, and of silence while the server runs no statement of ours, in milliseconds. Default: 10 s. */
  readonly answerMs?: number
}

/** A statement to be sent. The server plans a kept statement once per connection. */
export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[]
  readonly isKept?: boolean
}

/** The purpose of a connection. */
export interface ConnectionUse {
  /** Connects at the first use and after a failure; otherwise only `connect` connects. */
  readonly connectsByItself: boolean
  /** The first statements of every connection. */
  readonly opening?: string
  /** Receives the notifications of the connection. */
  readonly onNotification?: (payload: string) => void
  /** Called after the connection was closed because the server was silent. */
  readonly fellSilent?: () => void
}

/**
 * A pipelined connection: statements are sent without waiting for earlier answers, and the server answers in order.
 */
export class PostgresClient {
  readonly #settings: pg.ConnectionConfig
  readonly #answerMs: number
  readonly #use: ConnectionUse
  #client: Promise<pg.Client> | undefined
  /** The established connection. Statements need not wait for a promise before they are sent. */
  #connected: pg.Client | undefined
  #socket: Socket | undefined
  #watch: SilenceWatch | undefined
  inFlight = 0

  constructor({ answerMs = ANSWER_MS, ...settings }: ConnectionSettings, use: ConnectionUse) {
    this.#settings = settings
    this.#answerMs = answerMs
    this.#use = use
  }

  /** Whether the connection is established, as far as is known. */
  get isConnected(): boolean {
    return this.#connected !== undefined
  }

  /** Connects, unless a connection is established. */
  async connect(): Promise<void> {
    if (!this.#connected) await this.#connect()
  }

  /** Sends a statement at once and returns its rows. If a text has several statements, returns the rows of the last one. */
  async query<Row>({ text, values = [], isKept = false }: Statement): Promise<QueryResult<Row>> {
    this.inFlight++
    let watch: SilenceWatch | undefined
    try {
      const client = this.#connected ?? (await this.#connectAgain())
      this.#gather()
      watch = this.#watch
      watch?.sent()
      const name = isKept ? { name: statementName(text) } : {}
      const answer: pg.QueryResult | pg.QueryResult[] = await client.query({
        ...name,
        text,
        values: values.map(keptValue),
      })
      const last = Array.isArray(answer) ? answer.at(-1) : answer
      return { rows: (last?.rows ?? []) as Row[], numAffectedRows: BigInt(last?.rowCount ?? 0) }
    } catch (cause) {
      throw postgresFailure(cause, !this.#connected)
    } finally {
      watch?.answered()
      this.inFlight--
    }
  }

  /** Sends a query over an idle connection, so that a lost connection is found before it is needed. */
  ask(): void {
    if (this.#connected && this.inFlight === 0) this.query({ text: 'select 1' }).catch(() => {})
  }

  /** Gathers the statements of one turn into one network write. */
  #gather(): void {
    const socket = this.#socket
    if (!socket || socket.writableCorked > 0) return
    socket.cork()
    process.nextTick(() => socket.uncork())
  }

  /** Connects again; throws inside a transaction, whose statements must not run on another connection. */
  #connectAgain(): Promise<pg.Client> {
    if (!this.#use.connectsByItself) {
      throw new DatabaseUnavailable('unreachable', new Error('connection to the database was lost'))
    }
    return this.#connect()
  }

  #connect(): Promise<pg.Client> {
    this.#client ??= this.#open().catch((cause: unknown) => {
      this.#client = undefined
      throw postgresFailure(cause, true)
    })
    return this.#client
  }

  async #open(): Promise<pg.Client> {
    const socket = new Socket()
    const client = new pg.Client({
      connectionTimeoutMillis: this.#answerMs,
      keepAlive: true,
      ...this.#settings,
      types,
      pipeline: true,
      stream: () => socket,
    })
    let watch: SilenceWatch | undefined
    const forget = () => {
      watch?.stop()
      if (this.#connected === client) this.#connected = this.#client = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    const { opening = 'select 1', onNotification, fellSilent } = this.#use
    if (onNotification) client.on('notification', ({ payload = '' }) => onNotification(payload))
    await client.connect()
    const pid = await this.#begin(client, opening).catch((cause: unknown) => {
      socket.destroy()
      throw cause
    })
    watch = new SilenceWatch(
      {
        bytesRead: () => socket.bytesRead,
        isAtWork: () => this.#isAtWork(pid),
        destroy: () => {
          socket.destroy()
          fellSilent?.()
        },
      },
      this.#answerMs / 2,
    )
    this.#watch = watch
    this.#socket = socket
    this.#connected = client
    return client
  }

  /** Runs the first statements of a connection and returns the process ID of its backend. */
  async #begin(client: pg.Client, opening: string): Promise<number> {
    const text = `set synchronous_commit = on; set idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_MS}; ${opening}; select pg_backend_pid() as pid`
    const bounded = { text, query_timeout: this.#answerMs } as pg.QueryConfig
    const results = (await client.query(bounded)) as unknown as pg.QueryResult<{ pid: number }>[]
    return results.at(-1)?.rows[0]?.pid ?? 0
  }

  /** Returns whether the server runs a statement of this connection, queried over another one; false without an answer. */
  async #isAtWork(pid: number): Promise<boolean> {
    const waitMs = this.#answerMs / 2
    const asking = new pg.Client({ ...this.#settings, connectionTimeoutMillis: waitMs, query_timeout: waitMs })
    asking.on('error', () => {})
    try {
      await asking.connect()
      // A null state is hidden from the user and counts as running.
      const text = "select 1 from pg_stat_activity where pid = $1 and coalesce(state, 'active') = 'active'"
      return (await asking.query(text, [pid])).rows.length > 0
    } catch {
      return false
    } finally {
      void asking.end().catch(() => {})
    }
  }

  /** Ends the connection at once; the statements under way fail. The server may still run what it was sent. */
  drop(): void {
    this.#watch?.stop()
    this.#socket?.destroy()
    this.#use.fellSilent?.()
  }

  /** Closes the connection after the pending statements; at once if the server does not answer. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    const socket = this.#socket
    this.#connected = this.#client = undefined
    if (!client) return
    const giveUp = () => {
      if (this.inFlight === 0) socket?.destroy()
      else timer = systemClock.later(CLOSE_MS, giveUp)
    }
    let timer = systemClock.later(CLOSE_MS, giveUp)
    await client.end()
    timer.cancel()
    this.#watch?.stop()
  }
}

/** Returns a Kysely dialect that sends queries to a function and has no connections or transactions of its own. */
export function postgresDialect(send: <Row>(query: CompiledQuery<Row>) => Promise<QueryResult<Row>>): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new SingleConnectionDriver(asConnection(send)),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

const keptValue = (value: unknown) => (typeof value === 'string' ? encodeText(value) : value)

const names = new Map<string, string>()

/** Returns a short name for a text. Names are bounded by the number of prepared queries in the program. */
function statementName(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = hash('sha256', text, 'base64url').slice(0, 24)
    names.set(text, name)
  }
  return name
}
