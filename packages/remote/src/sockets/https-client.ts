// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import { type Dispatcher, errors, type Pool } from 'undici'
import { NotConnected, RemoteError } from '../remote-error.ts'
import type { IncomingReply } from '../transport.ts'
import { Connector, type ConnectorParts, type Place } from './connector.ts'
import { clientForOne, type Passage, poolTo } from './place-pool.ts'

/** A request to a place. */
export interface SecureRequest extends Place {
  readonly method: 'GET' | 'PUT' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** The error codes of a connection that closed before an answer began. */
const CLOSED = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

/**
 * Sends requests, over TLS where the place does not say otherwise, and reuses connections.
 *
 * Connections are reused by place and certificate name, so that no request uses a connection that was verified for
 * another name. Redirects are not followed.
 */
export class HttpsClient {
  readonly #connector: Connector
  readonly #pools = new Map<string, Pool>()

  constructor(parts: ConnectorParts) {
    this.#connector = new Connector(parts)
  }

  /** Returns the answer once its headers have arrived; throws {@link NotConnected} where nothing was sent. */
  async send(order: SecureRequest): Promise<IncomingReply> {
    this.#connector.refuseBlocked(order)
    const key = `${order.isPlain ? 'plain' : order.certificateName} ${order.port} ${order.host}`
    const pool = this.#pools.get(key) ?? this.#addPool(key, order)
    const passage = { isReused: false }
    try {
      return await exchange(pool, order, passage)
    } catch (error) {
      this.#dropUnused(key, pool)
      // A reused connection may have died in the meantime: retry once on a new one.
      if (passage.isReused && isClosed(error) && !order.signal.aborted) return this.#sendAlone(order)
      throw faultOf(error, order)
    }
  }

  /** Ends every exchange and closes every connection. */
  close(): void {
    this.#connector.close()
    for (const pool of this.#pools.values()) void pool.destroy()
    this.#pools.clear()
  }

  async #sendAlone(order: SecureRequest): Promise<IncomingReply> {
    const client = clientForOne(this.#connector.connectorTo(order))
    const reply = exchange(client, order, { isReused: false })
    void client.close()
    try {
      return await reply
    } catch (error) {
      throw faultOf(error, order)
    }
  }

  #addPool(key: string, place: Place): Pool {
    const pool = poolTo(this.#connector.connectorTo(place))
    this.#pools.set(key, pool)
    pool.on('disconnect', () => this.#dropUnused(key, pool))
    return pool
  }

  #dropUnused(key: string, pool: Pool): void {
    const { connected, size } = pool.stats
    if (connected > 0 || size > 0 || this.#pools.get(key) !== pool) return
    this.#pools.delete(key)
    void pool.close()
  }
}

async function exchange(over: Dispatcher, order: SecureRequest, passage: Passage): Promise<IncomingReply> {
  const { method, path, headers, body = null, signal } = order
  const reply = await over.request({ method, path, headers, body, signal, opaque: passage })
  const known = Object.entries(reply.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  return { status: reply.statusCode, headers: Object.fromEntries(known), body: bodyOf(reply.body) }
}

async function* bodyOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
    // undici reuses a connection one turn after the answer, so that the next request can use it.
    await nextTurn()
  } catch (cause) {
    throw new RemoteError('unreachable', 'the answer was truncated', { cause })
  }
}

function isClosed(error: unknown): boolean {
  return CLOSED.has((error as NodeJS.ErrnoException).code ?? '')
}

function faultOf(error: unknown, { host, signal }: SecureRequest): unknown {
  // The caller cancelled or the deadline has passed: another place would be too late.
  if (signal.aborted) return new RemoteError('unreachable', `${host} did not answer in time`, { cause: error })
  if (error instanceof NotConnected || error instanceof errors.InvalidArgumentError) return error
  return new RemoteError('unreachable', `${host}: ${(error as Error).message}`, { cause: error })
}
