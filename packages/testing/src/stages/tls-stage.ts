// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { systemClock } from '@myelin/kit/clock'
import { seededRandom } from '@myelin/kit/random'
import type { ServerName } from '@myelin/matrix/ids'
import { HttpsTransport, type HttpsTransportParts } from '@myelin/remote/https/https-transport'
import { AddressCheck } from '@myelin/remote/sockets/address-check'
import type { Names, ServiceRecord } from '@myelin/remote/sockets/names'
import { testAuthority } from '../certificates.ts'

/** The authority that the transports of this stage trust. */
export const authority = testAuthority()
/** The addresses at which the servers of this stage listen. */
export const LOCAL = ['127.0.0.1']

const open: Server[] = []
after(() => {
  for (const server of open) {
    server.closeAllConnections()
    server.close()
  }
})

const echo: RequestListener = (request, reply) => {
  reply.end(JSON.stringify({ host: request.headers.host, url: request.url, agent: request.headers['user-agent'] }))
}

/** Starts a web server on loopback with a certificate for these names and returns its port. It is closed after the tests. */
export async function listen(
  names: readonly string[],
  answer: RequestListener = echo,
  by = authority,
): Promise<number> {
  const server = createServer(by.issue(names), answer)
  open.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** The records of all names on a test internet. */
export interface Internet {
  readonly hosts?: Readonly<Record<string, readonly string[]>>
  readonly services?: Readonly<Record<string, readonly Partial<ServiceRecord>[]>>
}

/** Returns a transport with these DNS records that may connect to every address. */
export function transport(
  { hosts = {}, services = {} }: Internet,
  parts: Partial<HttpsTransportParts> = {},
): HttpsTransport {
  const names: Names = {
    addressesOf: async (host) => hosts[host] ?? [],
    servicesOf: async (name) =>
      (services[name] ?? []).map((record) => ({ name: '', port: 0, priority: 0, weight: 0, ...record })),
  }
  return new HttpsTransport({
    clock: systemClock,
    random: seededRandom('transport'),
    names,
    addresses: new AddressCheck([]),
    tls: { authorities: [authority.cert], minVersion: 'TLSv1.2', verifies: () => true },
    userAgent: 'test',
    ...parts,
  })
}

/** Returns the result of one request, as `status body`, or the fault in words; the transport stays open. */
export async function askOn(
  via: HttpsTransport,
  destination: string,
  target = '/x?y=%21',
  timeoutMs = 20_000,
): Promise<string> {
  try {
    const request = { destination: destination as ServerName, method: 'GET', target, headers: {}, timeoutMs } as const
    const { status, body } = await via.send(request)
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return `${status} ${Buffer.concat(chunks).toString()}`
  } catch (error) {
    return `${(error as Error).name} ${(error as { fault?: string }).fault}: ${(error as Error).message}`
  }
}

/** Sends a request over a transport and closes the transport. See {@link askOn}. */
export async function ask(...question: Parameters<typeof askOn>): Promise<string> {
  try {
    return await askOn(...question)
  } finally {
    await question[0].close()
  }
}
