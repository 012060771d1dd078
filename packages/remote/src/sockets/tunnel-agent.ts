// SPDX-License-Identifier: Apache-2.0
import type { ClientRequest } from 'node:http'
import { Agent, type AgentOptions, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ProxyAddress } from './proxy.ts'
import { openTunnel, type TlsChecks } from './tunnel.ts'

/** How an agent finds its way. */
export interface TunnelWays {
  /** The proxy that leads to a place; undefined where one connects directly. */
  proxyTo(host: string, port: number): ProxyAddress | undefined
  /** How the certificate of that name is checked, should it be a proxy's. */
  tlsWith(name: string): TlsChecks
}

type Opened = (fault: Error | null, socket: Duplex) => void

type Places<T> = Record<string, readonly T[] | undefined>

const TUNNEL_SIGNAL = Symbol('tunnelSignal')

/** Options of a request whose tunnel is given up when `signal` says so: Node keeps its own from the agent. */
export function tunnelSignal(signal: AbortSignal): RequestOptions {
  const options: RequestOptions & { [TUNNEL_SIGNAL]: AbortSignal } = { [TUNNEL_SIGNAL]: signal }
  return options
}

/**
 * Keeps connections over TLS, each through a tunnel of its own where a proxy is in the way.
 *
 * What TLS is checked against is the other end of the tunnel, as without one.
 */
export class TunnelAgent extends Agent {
  readonly #ways: TunnelWays

  constructor(options: AgentOptions, ways: TunnelWays) {
    super(options)
    this.#ways = ways
  }

  override createConnection(options: RequestOptions, opened?: Opened): Duplex | null | undefined {
    const [host, port] = [options.host ?? '', Number(options.port)]
    const proxy = this.#ways.proxyTo(host, port)
    if (!proxy || !opened) return super.createConnection(options, opened)
    const { [TUNNEL_SIGNAL]: signal } = options as { [TUNNEL_SIGNAL]?: AbortSignal }
    void openTunnel(proxy, { host, port, signal }, this.#ways.tlsWith(proxy.host)).then(
      (socket) => opened(null, this.#secured(options, socket)),
      (fault: Error) => this.#failed(options, fault, opened),
    )
    return undefined
  }

  #secured(options: RequestOptions, socket: Duplex): Duplex {
    const inside: RequestOptions & { readonly socket: Duplex } = { ...options, socket }
    return super.createConnection(inside) as Duplex
  }

  /** Node cleans up, and lets the next request in, only after a socket that there was. */
  #failed(options: RequestOptions, fault: Error, opened: Opened): void {
    opened(fault, undefined as unknown as Duplex)
    const place = this.getName(options)
    const [sockets, waiting] = [this.sockets as Places<unknown>, this.requests as Places<ClientRequest>]
    if (sockets[place]?.length !== 0) return
    delete sockets[place]
    for (const request of waiting[place] ?? []) request.destroy(fault)
    delete waiting[place]
  }
}
