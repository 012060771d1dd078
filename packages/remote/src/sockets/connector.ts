// SPDX-License-Identifier: Apache-2.0
import { connect as connectPlain, isIP, type LookupFunction, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect, createSecureContext, type SecureContext, type SecureVersion, type TLSSocket } from 'node:tls'
import type { buildConnector } from 'undici'
import { NotConnected } from '../remote-error.ts'
import type { AddressCheck } from './address-check.ts'
import { blocked, checkedLookup } from './checked-lookup.ts'
import type { Names } from './names.ts'
import { type ProxyAddress, ProxyExceptions, type ProxySettings, spelledAddress } from './proxy.ts'
import { openTunnel, type TlsChecks } from './tunnel.ts'

/** The settings for verifying certificates. */
export interface TlsSettings {
  /** The trusted certificate authorities, in PEM; undefined for Node's defaults. */
  readonly authorities: readonly string[] | undefined
  readonly minVersion: SecureVersion
  /** Returns whether the certificate of this name is verified. */
  verifies(name: string): boolean
}

/** The target of a connection, and the name on its certificate. */
export interface Place {
  /** A host name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** The name or address that the certificate must be for. */
  readonly certificateName: string
  /** Whether the connection is without TLS. */
  readonly isPlain?: boolean
}

/** The parts of a {@link Connector}. */
export interface ConnectorParts {
  readonly names: Names
  readonly addresses: AddressCheck
  readonly tls: TlsSettings
  readonly proxy: ProxySettings
}

const TCP_KEEP_ALIVE_MS = 60_000

/**
 * Opens connections, directly or through a proxy.
 *
 * Every address is checked when its socket is opened. A proxy resolves names itself, so there only hosts that are
 * addresses can be checked.
 */
export class Connector {
  readonly #lookup: LookupFunction
  readonly #addresses: AddressCheck
  readonly #tls: TlsSettings
  readonly #context: SecureContext
  readonly #proxy: ProxyAddress | undefined
  readonly #exceptions: ProxyExceptions
  readonly #opening = new Set<Duplex>()

  constructor(parts: ConnectorParts) {
    const { authorities, minVersion } = parts.tls
    this.#lookup = checkedLookup(parts.names, parts.addresses)
    this.#addresses = parts.addresses
    this.#tls = parts.tls
    this.#context = createSecureContext({ minVersion, ...(authorities ? { ca: [...authorities] } : {}) })
    this.#proxy = parts.proxy.https
    this.#exceptions = new ProxyExceptions(parts.proxy.exceptions)
  }

  /** Throws {@link NotConnected} where the host is a blocked address; a name is checked after its lookup. */
  refuseBlocked({ host, port }: Place): void {
    const address = this.#proxyTo(host, port) ? spelledAddress(host) : host
    if (address !== undefined && isIP(address) !== 0 && !this.#addresses.isAllowed(address)) throw blocked(host)
  }

  /** Returns the function through which an undici client connects to a place; it fails with {@link NotConnected}. */
  connectorTo(place: Place): buildConnector.connector {
    let session: Buffer | undefined
    const open = async (signal: AbortSignal): Promise<Socket> => {
      const proxy = this.#proxyTo(place.host, place.port)
      const tunnel = proxy && (await openTunnel(proxy, { ...place, signal }, this.#tlsWith(proxy.host)))
      if (place.isPlain) return tunnel ? (tunnel as Socket) : connected(this.#plainSocketTo(place), 'connect', signal)
      const socket = this.#socketTo(place, session, tunnel)
      socket.on('session', (next) => (session = next))
      return connected(socket, 'secureConnect', signal)
    }
    return (_, done) => {
      const opening = new Opening()
      this.#opening.add(opening)
      void open(opening.signal)
        .finally(() => this.#opening.delete(opening))
        .then(
          (socket) => done(null, socket),
          (error: Error) => done(notConnected(error, place), null),
        )
      return opening
    }
  }

  /** Aborts every connection that is not open yet. */
  close(): void {
    for (const opening of this.#opening) opening.destroy()
  }

  #proxyTo(host: string, port: number): ProxyAddress | undefined {
    return this.#proxy && this.#exceptions.cover(host, port) ? undefined : this.#proxy
  }

  #tlsWith(name: string): TlsChecks {
    return { secureContext: this.#context, rejectUnauthorized: this.#tls.verifies(name) }
  }

  #plainSocketTo({ host, port }: Place): Socket {
    return connectPlain({ host, port, lookup: this.#lookup })
  }

  #socketTo({ host, port, certificateName }: Place, session?: Buffer, tunnel?: Duplex): TLSSocket {
    return connect({
      host,
      port,
      // SNI takes no addresses; the certificate is verified against the place itself.
      servername: isIP(certificateName) === 0 ? certificateName : '',
      ALPNProtocols: ['http/1.1'],
      lookup: this.#lookup,
      ...this.#tlsWith(certificateName),
      ...(session ? { session } : {}),
      ...(tunnel ? { socket: tunnel } : {}),
    })
  }
}

/** A connection attempt. undici destroys it when no request waits for the connection any more. */
class Opening extends Duplex {
  readonly #stop = new AbortController()

  /** Aborted when the connection is given up. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  override _read(): void {}

  override _destroy(_error: Error | null, done: () => void): void {
    this.#stop.abort(new NotConnected('unreachable', 'no request waits for the connection'))
    done()
  }
}

/** Waits until a connection is open: for TLS, until the handshake is over. */
function connected(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const giveUp = (): void => void socket.destroy(signal.reason as Error)
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS)
  socket.once(event, () => resolve(socket))
  // Also for what happens after the handshake and before undici listens.
  socket.on('error', reject)
  return promise.finally(() => signal.removeEventListener('abort', giveUp))
}

function notConnected(error: Error, { host }: Place): NotConnected {
  if (error instanceof NotConnected) return error
  // If several addresses failed, Node's error has a code and no message.
  const reason = error.message || (error as NodeJS.ErrnoException).code
  return new NotConnected('unreachable', `${host}: ${reason}`, { cause: error })
}
