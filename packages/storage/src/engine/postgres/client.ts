// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { Socket } from 'node:net'
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { CompiledQuery, Dialect, QueryResult } from 'kysely'
import pg from 'pg'
import { asConnection, SingleConnectionDriver } from '../single-connection-driver.ts'
import { DatabaseUnavailable } from '../unavailable.ts'
import { postgresFailure } from './outage.ts'
import { encodeText, decodeText } from './text.ts'

// Without it, a machine that does not answer holds up a statement for minutes.
const CONNECT_TIMEOUT_MS = 10_000

const INT8 = 20
const TEXT = 25
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): ((value: string) => unknown) => {
    if (oid === INT8) return Number
    return oid === TEXT ? decodeText : (pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown)
  },
}

/** A statement as it goes to the server; with a name the server plans it once per connection. */
export interface Statement {
  readonly text: string
  readonly values?: readonly unknown[]
  readonly isKept?: boolean
}

/**
 * One connection whose statements go out as they come, without waiting for the answers to those before; the server
 * answers them in order. It connects when `connect` is called, or where it may by itself, at first use and after it broke.
 */
export class PostgresClient {
  readonly #settings: pg.ConnectionConfig
  #client: Promise<pg.Client> | undefined
  /** The same once it stands: no statement then waits for a promise before it goes out. */
  #connected: pg.Client | undefined
  #socket: Socket | undefined
  readonly #connectsByItself: boolean
  readonly #opening: string
  inFlight = 0

  /** `opening` are statements that every connection begins with. */
  constructor(
    settings: pg.ConnectionConfig,
    { connectsByItself, opening = '' }: { readonly connectsByItself: boolean; readonly opening?: string },
  ) {
    this.#settings = settings
    this.#connectsByItself = connectsByItself
    this.#opening = `set synchronous_commit = on; ${opening}`
  }

  /** Makes sure that a connection stands. */
  async connect(): Promise<void> {
    if (!this.#connected) await this.#connect()
  }

  /** Sends a statement at once and returns its rows; of several statements in one text, those of the last. */
  async query<Row>({ text, values = [], isKept = false }: Statement): Promise<QueryResult<Row>> {
    this.inFlight++
    try {
      const client = this.#connected ?? (await this.#connectAgain())
      this.#gather()
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
      this.inFlight--
    }
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
    if (!this.#connectsByItself) {
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
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      ...this.#settings,
      types,
      pipeline: true,
      stream: () => socket,
    })
    const forget = () => {
      if (this.#connected === client) this.#connected = this.#client = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    await client.connect()
    await client.query(this.#opening).catch((cause: unknown) => {
      socket.destroy()
      throw cause
    })
    this.#socket = socket
    this.#connected = client
    return client
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    this.#connected = this.#client = undefined
    await client?.end()
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
