// SPDX-License-Identifier: Apache-2.0
import * as http from 'node:http'
import * as https from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContext } from 'node:tls'
import { NotConnected } from '../remote-error.ts'
import { isHost, type ProxyAddress } from './proxy.ts'

/** A request for a tunnel. */
export interface TunnelOrder {
  /** A host name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** Aborts opening the tunnel. */
  readonly signal: AbortSignal
}

/** The options for verifying the proxy's certificate. */
export interface TlsChecks {
  readonly secureContext: SecureContext
  readonly rejectUnauthorized: boolean
}

const MAX_HEADER_BYTES = 16 * 1024

/**
 * Returns an unused connection through a proxy; throws {@link NotConnected} where the proxy refuses.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-connect
 */
export function openTunnel(proxy: ProxyAddress, order: TunnelOrder, tls: TlsChecks): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (!isHost(order.host)) throw refusal(order, 'no such name can be asked for')
    const asked = proxy.isSecure
      ? https.request({ ...requestFor(proxy, order), ...tls, servername: isIP(proxy.host) === 0 ? proxy.host : '' })
      : http.request(requestFor(proxy, order))
    const giveUp = (): void => void asked.destroy(refusal(order, 'the request was aborted'))
    const settled = (): void => order.signal.removeEventListener('abort', giveUp)
    if (order.signal.aborted) giveUp()
    order.signal.addEventListener('abort', giveUp, { once: true })
    asked.on('error', (cause) => {
      settled()
      reject(cause instanceof NotConnected ? cause : refusal(order, cause.message, cause))
    })
    asked.on('connect', ({ statusCode = 0 }, socket, head) => {
      settled()
      // Later errors reach the users of the tunnel as its end.
      socket.on('error', () => undefined)
      const isOpen = statusCode >= 200 && statusCode < 300 && head.length === 0
      if (isOpen) return resolve(socket)
      socket.destroy()
      // In TLS the client sends first: earlier bytes do not come from the target.
      reject(refusal(order, head.length > 0 ? 'the proxy speaks in its place' : `the proxy answered ${statusCode}`))
    })
    asked.end()
  })
}

function requestFor(proxy: ProxyAddress, { host, port }: TunnelOrder): http.RequestOptions {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return {
    agent: false,
    host: proxy.host,
    port: proxy.port,
    method: 'CONNECT',
    path: place,
    headers: {
      host: place,
      connection: 'keep-alive',
      ...(proxy.authorization ? { 'proxy-authorization': proxy.authorization } : {}),
    },
    maxHeaderSize: MAX_HEADER_BYTES,
  }
}

function refusal({ host }: TunnelOrder, why: string, cause?: Error): NotConnected {
  return new NotConnected('unreachable', `no tunnel to ${host}: ${why}`, { cause })
}
