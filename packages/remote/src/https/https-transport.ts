// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@myelin/kit/clock'
import type { Random } from '@myelin/kit/random'
import { Semaphore } from '@myelin/kit/semaphore'
import { Discovery, type Route } from '../discovery/discovery.ts'
import { WellKnown } from '../discovery/well-known.ts'
import { NotConnected, RemoteError } from '../remote-error.ts'
import { AddressCheck } from '../sockets/address-check.ts'
import { Deadline } from '../sockets/deadline.ts'
import type { TlsSettings } from '../sockets/connector.ts'
import type { HttpsClient } from '../sockets/https-client.ts'
import type { ConnectorParts } from '../sockets/connector.ts'
import { type Names, systemNames } from '../sockets/names.ts'
import type { ProxySettings } from '../sockets/proxy.ts'
import type { IncomingReply, OutgoingRequest, PageOptions, Transport } from '../transport.ts'

/** The parts of a transport over TLS. */
export interface HttpsTransportParts {
  readonly clock: Clock
  readonly random: Random
  readonly tls: TlsSettings
  readonly addresses?: AddressCheck
  readonly names?: Names
  /** The proxy; without it connections are direct. */
  readonly proxy?: ProxySettings
  readonly userAgent: string
  /** The addresses and certificates of pages that are previewed; by default those of other servers. */
  readonly previews?: Pick<ConnectorParts, 'addresses' | 'tls'>
}

const WELL_KNOWN_TIMEOUT_MS = 10_000
/** The most concurrent exchanges; more wait. */
const MAX_AT_ONCE = 512
const NO_PROXY: ProxySettings = { https: undefined, exceptions: [] }

/**
 * Sends requests to other servers over TLS: resolves their names, connects, and verifies their certificates.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#api-standards
 */
export class HttpsTransport implements Transport {
  readonly #clock: Clock
  readonly #client: LazyClient
  /** For servers of the admin's own: their addresses may be private, and no proxy leads to them. */
  readonly #trusted: LazyClient
  /** For pages that are previewed. */
  readonly #previews: LazyClient
  readonly #discovery: Discovery
  readonly #exchanges = new Semaphore(MAX_AT_ONCE)
  readonly #userAgent: string

  constructor(parts: HttpsTransportParts) {
    const { names = systemNames(), addresses = new AddressCheck(), proxy = NO_PROXY } = parts
    this.#clock = parts.clock
    this.#userAgent = parts.userAgent
    this.#client = new LazyClient({ names, addresses, tls: parts.tls, proxy })
    this.#trusted = new LazyClient({ names, addresses: new AddressCheck([]), tls: parts.tls, proxy: NO_PROXY })
    this.#previews = new LazyClient({ names, addresses, tls: parts.tls, proxy, ...parts.previews })
    const wellKnown = new WellKnown((url) => this.fetchPage(url, { timeoutMs: WELL_KNOWN_TIMEOUT_MS }), parts.clock)
    this.#discovery = new Discovery({ names, wellKnown, random: parts.random, clock: parts.clock })
  }

  async send(request: OutgoingRequest): Promise<IncomingReply> {
    const deadline = new Deadline(this.#clock, request.timeoutMs, request.signal)
    const giveBack = await this.#exchanges.acquire({ signal: deadline.signal })
    // Also where the answer is never read.
    deadline.signal.addEventListener('abort', giveBack, { once: true })
    const end = (): void => {
      deadline.end()
      giveBack()
    }
    return untilRead(end, async () => {
      const route = await deadline.race(this.#discovery.routeTo(request.destination))
      return this.#tryPlaces(request, route, deadline.signal)
    })
  }

  async close(): Promise<void> {
    this.#client.close()
    this.#trusted.close()
    this.#previews.close()
  }

  async #tryPlaces(request: OutgoingRequest, route: Route, signal: AbortSignal): Promise<IncomingReply> {
    let fault: RemoteError = new RemoteError('unreachable', `${request.destination} has no address`)
    for (const place of route.places) {
      try {
        return await this.#client.send({
          ...place,
          certificateName: route.certificateName,
          method: request.method,
          path: request.target,
          headers: { 'user-agent': this.#userAgent, ...request.headers, host: route.hostHeader },
          ...(request.body === undefined ? {} : { body: request.body }),
          signal,
        })
      } catch (error) {
        if (!(error instanceof NotConnected)) throw error
        fault = error
      }
    }
    throw fault
  }

  /** Sends a request to a web server. */
  async fetchPage(url: URL, options: PageOptions): Promise<IncomingReply> {
    const deadline = new Deadline(this.#clock, options.timeoutMs, options.signal)
    const isPlain = url.protocol === 'http:'
    const host = url.hostname.replace(/^\[|\]$/g, '')
    return untilRead(
      () => deadline.end(),
      () =>
        this.#clientFor(options).send({
          host,
          port: url.port === '' ? (isPlain ? 80 : 443) : Number(url.port),
          certificateName: host,
          isPlain,
          method: options.method ?? 'GET',
          path: `${url.pathname}${url.search}`,
          headers: { 'user-agent': this.#userAgent, accept: '*/*', ...options.headers, host: url.host },
          ...(options.body === undefined ? {} : { body: options.body }),
          signal: deadline.signal,
        }),
    )
  }

  #clientFor({ isTrusted, isForPreview }: PageOptions): LazyClient {
    if (isTrusted) return this.#trusted
    return isForPreview ? this.#previews : this.#client
  }
}

/** An {@link HttpsClient} that is loaded with the first request: the library behind it takes about 20 MiB. */
class LazyClient {
  readonly #parts: ConnectorParts
  #loading: Promise<HttpsClient> | undefined
  #isClosed = false

  constructor(parts: ConnectorParts) {
    this.#parts = parts
  }

  async send(request: Parameters<HttpsClient['send']>[0]): Promise<IncomingReply> {
    return (await (this.#loading ??= this.#load())).send(request)
  }

  close(): void {
    this.#isClosed = true
    void this.#loading?.then((client) => client.close())
  }

  async #load(): Promise<HttpsClient> {
    const { HttpsClient } = await import('../sockets/https-client.ts')
    const client = new HttpsClient(this.#parts)
    if (this.#isClosed) client.close()
    return client
  }
}

/** Calls `end` when the exchange failed, or its body was read or discarded. */
async function untilRead(end: () => void, exchange: () => Promise<IncomingReply>): Promise<IncomingReply> {
  let reply: IncomingReply
  try {
    reply = await exchange()
  } catch (error) {
    end()
    throw error
  }
  return { ...reply, body: ending(reply.body, end) }
}

async function* ending(body: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    end()
  }
}
