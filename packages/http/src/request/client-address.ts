// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'

/**
 * Returns the address of a request's client: the first entry of `X-Forwarded-For` on a listener behind a proxy, without its
 * port and brackets; the connection's address where that entry is missing or is not an IP address.
 */
export function addressOf({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>, isForwarded: boolean): string {
  if (!isForwarded) return ip
  const header = headers['x-forwarded-for']
  const [first = ''] = (typeof header === 'string' ? header : '').split(',', 1)
  return ipIn(first.trim()) ?? ip
}

const WITH_PORT = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/

function ipIn(entry: string): string | undefined {
  if (isIP(entry) !== 0) return entry
  const [, bracketed, plain] = WITH_PORT.exec(entry) ?? []
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined
  return plain !== undefined && isIP(plain) === 4 ? plain : undefined
}
