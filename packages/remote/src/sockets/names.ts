// SPDX-License-Identifier: Apache-2.0
import { lookup, Resolver } from 'node:dns/promises'

/** A place in an SRV record. */
export interface ServiceRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** A resolver of names. */
export interface Names {
  /** Returns every address of a host; empty where it has none. */
  addressesOf(host: string): Promise<readonly string[]>
  /** Returns the SRV records of a name such as `_matrix-fed._tcp.example.org`; empty where there are none. */
  servicesOf(name: string): Promise<readonly ServiceRecord[]>
}

const SETTINGS = { timeout: 3000, tries: 2 }

/**
 * Returns a resolver with the machine's settings.
 *
 * DNS is queried directly, because the system's resolver would block a pool thread for each slow name. The system's
 * resolver is used where DNS has no result, for `/etc/hosts`.
 */
export function systemNames(resolver: Resolver = new Resolver(SETTINGS)): Names {
  return {
    async addressesOf(host) {
      // A name without a dot is not in DNS: `localhost`, or a host in a container network.
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

/** Returns an empty list where the resolver fails. */
async function orNone<T>(found: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await found
  } catch {
    return []
  }
}
