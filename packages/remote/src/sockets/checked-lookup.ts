// SPDX-License-Identifier: Apache-2.0
import { isIP, type LookupFunction } from 'node:net'
import { NotConnected } from '../remote-error.ts'
import type { AddressCheck } from './address-check.ts'
import type { Names } from './names.ts'

/**
 * Returns a lookup for `net.connect` that answers only addresses which pass the check.
 *
 * The check and the connection see the answer of the same lookup, so that a name cannot change its address in between.
 * Fails with {@link NotConnected} where a name has no address, or none that passes.
 */
export function checkedLookup(names: Names, addresses: AddressCheck): LookupFunction {
  const addressesOf = async (host: string): Promise<{ readonly address: string; readonly family: number }[]> => {
    const found = await names.addressesOf(host)
    if (found.length === 0) throw new NotConnected('unreachable', `${host} has no address`)
    const allowed = found.filter((address) => addresses.isAllowed(address))
    if (allowed.length === 0) throw blocked(host)
    return allowed.map((address) => ({ address, family: isIP(address) }))
  }
  return (host, options, done) => {
    void addressesOf(host).then(
      (allowed) => {
        const [first] = allowed
        if (options.all) done(null, [...allowed])
        else done(null, first?.address ?? '', first?.family)
      },
      (error: Error) => done(error, []),
    )
  }
}

/** Returns the failure of a connection that would go to a blocked address. */
export function blocked(host: string): NotConnected {
  return new NotConnected('unreachable', `${host} is at an address this server does not connect to`)
}
