// SPDX-License-Identifier: Apache-2.0
import { type RequestOptions, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { isIP, type LookupFunction } from 'node:net'
import type { SecureVersion } from 'node:tls'
import { NotConnected, RemoteError } from '../remote-error.ts'
import type { IncomingReply } from '../transport.ts'
import type { AddressCheck } from './address-check.ts'
import type { Names } from './names.ts'
import { type ProxyAddress, ProxyExceptions, type ProxySettings, spelledAddress } from './proxy.ts'
import type { TlsChecks } from './tunnel.ts'
import { TunnelAgent, tunnelSignal } from './tunnel-agent.ts'

/** How certificates are checked. */
export interface TlsSettings {
  /** The only authorities to trust, in PEM; undefined: those the program comes with. */
  readonly authorities: readonly string[] | undefined
  readonly minVersion: SecureVersion
  /** Whether the certificate of this name is checked at all. */
  verifies(name: string): boolean
}

/** A request over TLS to a place. */
export interface SecureRequest {
  /** A host name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** The name or address that the certificate must be for. */
  readonly certificateName: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

const IDLE_MS = 30_000
const MAX_SOCKETS_PER_PLACE = 8
const MAX_HEADER_BYTES = 32 * 1024

/** What a client is made of. */
export interface HttpsClientParts {
  readonly names: Names
  readonly addresses: AddressCheck
  readonly tls: TlsSettings
  readonly proxy: ProxySettings
}

/**
 * Makes requests over TLS, and keeps connections for the next one.
 *
 * Every address is checked when its socket is opened, whatever name led there. Through a proxy it is the proxy that
 * looks names up, so only what spells an address can be checked.
 */
export class HttpsClient {
  readonly #agent: TunnelAgent
  /** Whose connections are used once. */
  readonly #fresh: TunnelAgent
  readonly #names: Names
  readonly #addresses: AddressCheck
  readonly #tls: TlsSettings
  readonly #proxy: ProxyAddress | undefined
  readonly #exceptions: ProxyExceptions

  constructor(parts: HttpsClientParts) {
    this.#names = parts.names
    this.#addresses = parts.addresses
    this.#tls = parts.tls
    this.#proxy = parts.proxy.https
    this.#exceptions = new ProxyExceptions(parts.proxy.exceptions)
    const ways = {
      proxyTo: (host: string, port: number) => this.#proxyTo(host, port),
      tlsWith: (name: string) => this.#tlsWith(name),
    }
    this.#fresh = new TunnelAgent({ keepAlive: false }, ways)
    this.#agent = new TunnelAgent(
      {
        keepAlive: true,
        maxSockets: MAX_SOCKETS_PER_PLACE,
        maxFreeSockets: 2,
        timeout: IDLE_MS,
        scheduling: 'lifo',
      },
      ways,
    )
  }

  /** The answer, once its headers are there; {@link NotConnected} where nothing was sent. */
  async send(order: SecureRequest): Promise<IncomingReply> {
    // An address is not looked up, so it is checked here; names are when they have become addresses.
    const address = this.#proxyTo(order.host, order.port) ? spelledAddress(order.host) : order.host
    if (address !== undefined && isIP(address) !== 0 && !this.#addresses.isAllowed(address)) throw blocked(order.host)
    const first = await this.#attempt(order)
    return 'isStale' in first ? this.#again(order) : first
  }

  close(): void {
    this.#agent.destroy()
    this.#fresh.destroy()
  }

  #proxyTo(host: string, port: number): ProxyAddress | undefined {
    return this.#proxy && this.#exceptions.cover(host, port) ? undefined : this.#proxy
  }

  /** A kept connection that had died in the meantime proves nothing: once more, on another. */
  async #again(order: SecureRequest): Promise<IncomingReply> {
    const second = await this.#attempt(order, { agent: this.#fresh })
    if ('isStale' in second) throw new RemoteError('unreachable', `${order.host} closed the connection`)
    return second
  }

  #attempt(order: SecureRequest, change: RequestOptions = {}): Promise<IncomingReply | { readonly isStale: true }> {
    return new Promise((resolve, reject) => {
      let isConnected = false
      const outgoing = request({ ...this.#optionsOf(order), ...change })
      outgoing.on('socket', (socket) => {
        if (outgoing.reusedSocket) isConnected = true
        else socket.once('secureConnect', () => (isConnected = true))
      })
      outgoing.on('response', (incoming) => resolve(replyOf(incoming)))
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        if (outgoing.reusedSocket && error.code === 'ECONNRESET' && !order.signal.aborted) resolve({ isStale: true })
        else reject(faultOf(error, order, isConnected))
      })
      outgoing.end(order.body)
    })
  }

  #optionsOf(order: SecureRequest): RequestOptions {
    const { certificateName, body } = order
    const isName = isIP(certificateName) === 0
    const size = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    return {
      agent: this.#agent,
      host: order.host,
      port: order.port,
      method: order.method,
      path: order.path,
      headers: { ...order.headers, ...size },
      signal: order.signal,
      lookup: this.#lookup,
      maxHeaderSize: MAX_HEADER_BYTES,
      // An address cannot be asked for by name: the certificate is checked against the place itself.
      servername: isName ? certificateName : '',
      ...this.#tlsWith(certificateName),
      ...tunnelSignal(order.signal),
    }
  }

  #tlsWith(name: string): TlsChecks {
    return {
      minVersion: this.#tls.minVersion,
      rejectUnauthorized: this.#tls.verifies(name),
      ...(this.#tls.authorities ? { ca: [...this.#tls.authorities] } : {}),
    }
  }

  readonly #lookup: LookupFunction = (host, options, done) => {
    void this.#addressesOf(host).then(
      (addresses) => {
        const [first] = addresses
        if (options.all) done(null, [...addresses])
        else done(null, first?.address ?? '', first?.family)
      },
      (error: Error) => done(error, []),
    )
  }

  async #addressesOf(host: string): Promise<{ readonly address: string; readonly family: number }[]> {
    const found = await this.#names.addressesOf(host)
    if (found.length === 0) throw new NotConnected('unreachable', `${host} has no address`)
    const allowed = found.filter((address) => this.#addresses.isAllowed(address))
    if (allowed.length === 0) throw blocked(host)
    return allowed.map((address) => ({ address, family: isIP(address) }))
  }
}

function blocked(host: string): NotConnected {
  return new NotConnected('unreachable', `${host} is at an address this server does not connect to`)
}

function faultOf(error: Error, { host, signal }: SecureRequest, isConnected: boolean): RemoteError {
  if (error instanceof RemoteError) return error
  // The caller stopped waiting, or the time was over: no other place would be in time.
  if (signal.aborted) return new RemoteError('unreachable', `${host} did not answer in time`, { cause: error })
  const Fault = isConnected ? RemoteError : NotConnected
  return new Fault('unreachable', `${host}: ${error.message}`, { cause: error })
}

function replyOf(incoming: IncomingMessage): IncomingReply {
  const headers = Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  return { status: incoming.statusCode ?? 0, headers: Object.fromEntries(headers), body: bodyOf(incoming) }
}

async function* bodyOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk as Uint8Array
  } catch (cause) {
    throw new RemoteError('unreachable', 'the answer was cut off', { cause })
  }
}
