// SPDX-License-Identifier: Apache-2.0
import { lookup, Resolver } from 'node:dns/promises'

/** A place where a service says it is. */
export interface ServiceRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** What the names of the internet stand for. */
export interface Names {
  /** Every address of a host; empty where it has none. */
  addressesOf(host: string): Promise<readonly string[]>
  /** The SRV records of a name such as `_matrix-fed._tcp.example.org`; empty where there are none. */
  servicesOf(name: string): Promise<readonly ServiceRecord[]>
}

const SETTINGS = { timeout: 3000, tries: 2 }

/**
 * The names of the machine's resolver.
 *
 * DNS is asked without the system's resolver, which would block a thread of the pool for each slow name; that one is
 * asked only where DNS has nothing, for the sake of `/etc/hosts`.
 */
export function systemNames(resolver: Resolver = new Resolver(SETTINGS)): Names {
  return {
    async addressesOf(host) {
      // A name without a dot is none of the DNS: `localhost`, or a neighbor in a container network.
      if (!host.includes('.')) return systemAddresses(host)
      const found = await Promise.all([orNone(resolver.resolve6(host)), orNone(resolver.resolve4(host))])
      const addresses = found.flat()
      if (addresses.length > 0) return addresses
      return systemAddresses(host)
    },
    servicesOf: (name) => orNone(resolver.resolveSrv(name)),
  }
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await orNone(lookup(host, { all: true, order: 'verbatim' }))).map(({ address }) => address)
}

/** A resolver that fails says as little as one that knows nothing. */
async function orNone<T>(found: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await found
  } catch {
    return []
  }
}
