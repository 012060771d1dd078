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
 * The default of `answerMs`, in milliseconds. Without a bound, a machine that hangs or drops packets holds up a statement for ever, or for the
 * quarter of an hour after which TCP gives up.
 */
export const ANSWER_MS = 10_000
// A transaction of a node that hangs holds the log, and all other nodes wait for it.
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

/** How to reach the server, and for how long an answer is awaited. */
export interface ConnectionSettings extends pg.ConnectionConfig {
  /** How long the server may take to accept a connection, or be silent while it runs no statement of ours. Default: 10 s. */
  readonly answerMs?: number
}

/** A statement as it goes to the server; with a name the server plans it once per connection. */
export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[]
  readonly isKept?: boolean
}

/** How a connection is used. */
export interface ConnectionUse {
  /** Whether it connects at first use and after it broke; otherwise it does when `connect` is called. */
  readonly connectsByItself: boolean
  /** Statements that every connection begins with. */
  readonly opening?: string
  /** Hears the notifications that come over it. */
  readonly heard?: (payload: string) => void
  /** Called when it was ended because the server was silent. */
  readonly fellSilent?: () => void
}

/**
 * One connection whose statements go out as they come, without waiting for the answers to those before; the server
 * answers them in order. It connects when `connect` is called, or where it may by itself, at first use and after it broke.
 */
export class PostgresClient {
  readonly #settings: pg.ConnectionConfig
  readonly #answerMs: number
  readonly #use: ConnectionUse
  #client: Promise<pg.Client> | undefined
  /** The same once it stands: no statement then waits for a promise before it goes out. */
  #connected: pg.Client | undefined
  #socket: Socket | undefined
  #watch: SilenceWatch | undefined
  inFlight = 0

  constructor({ answerMs = ANSWER_MS, ...settings }: ConnectionSettings, use: ConnectionUse) {
    this.#settings = settings
    this.#answerMs = answerMs
    this.#use = use
  }

  /** Whether a connection stands, as far as is known. */
  get isConnected(): boolean {
    return this.#connected !== undefined
  }

  /** Makes sure that a connection stands. */
  async connect(): Promise<void> {
    if (!this.#connected) await this.#connect()
  }

  /** Sends a statement at once and returns its rows; of several statements in one text, those of the last. */
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

  /** Asks for a sign of life where nothing is under way, so that a connection which was lost is not found only when it is needed. */
  ask(): void {
    if (this.#connected && this.inFlight === 0) this.query({ text: 'select 1' }).catch(() => {})
  }

  /** Statements that go out together are one write to the network. */
  #gather(): void {
    const socket = this.#socket
    if (!socket || socket.writableCorked > 0) return
    socket.cork()
    process.nextTick(() => socket.uncork())
  }

  /** A statement of a transaction must not run on another connection than the one that began it. */
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
    const { opening = 'select 1', heard, fellSilent } = this.#use
    if (heard) client.on('notification', ({ payload = '' }) => heard(payload))
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

  /** Runs the first statements of a connection and returns the number of the server's process behind it. */
  async #begin(client: pg.Client, opening: string): Promise<number> {
    const text = `set synchronous_commit = on; set idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_MS}; ${opening}; select pg_backend_pid() as pid`
    const bounded = { text, query_timeout: this.#answerMs } as pg.QueryConfig
    const results = (await client.query(bounded)) as unknown as pg.QueryResult<{ pid: number }>[]
    return results.at(-1)?.rows[0]?.pid ?? 0
  }

  /** Returns whether the server runs a statement of this connection, asked over another one; false if the server does not answer. */
  async #isAtWork(pid: number): Promise<boolean> {
    const waitMs = this.#answerMs / 2
    const asking = new pg.Client({ ...this.#settings, connectionTimeoutMillis: waitMs, query_timeout: waitMs })
    asking.on('error', () => {})
    try {
      await asking.connect()
      // A statement that the user may not see counts as running.
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

  /** Ends the connection once the statements under way are answered; at once where the server does not answer. */
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

/** Names are short, texts are not. There are as many as prepared queries in the program. */
function statementName(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = hash('sha256', text, 'base64url').slice(0, 24)
    names.set(text, name)
  }
  return name
}
