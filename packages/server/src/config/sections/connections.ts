// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { isRange, PRIVATE_RANGES } from '@myelin/remote/sockets/address-check'
import { Type } from 'typebox'
import { path, type Reading, section } from '../section.ts'

/** How connections to other servers are made. */
export interface ConnectionSettings {
  readonly addresses: {
    /** Ranges that outgoing connections may not go to. */
    readonly blocked: readonly string[]
    /** Ranges inside those where they may. */
    readonly allowed: readonly string[]
  }
  readonly tls: {
    /** The only authorities to trust, in PEM; undefined: those the program comes with. */
    readonly authorities: readonly string[] | undefined
    readonly minVersion: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
    /** Whether certificates are checked. */
    readonly isVerified: boolean
    /** Globs of the names whose certificate is not checked all the same. */
    readonly unverified: readonly string[]
  }
}

const VERSIONS = new Map([
  ['1', 'TLSv1'],
  ['1.0', 'TLSv1'],
  ['1.1', 'TLSv1.1'],
  ['1.2', 'TLSv1.2'],
  ['1.3', 'TLSv1.3'],
] as const)

const fields = {
  ip_range_blacklist: Type.Array(Type.String(), {
    description: `Addresses that this server does not connect to, whatever name leads there. What stands here takes the
place of the default. 0.0.0.0/8 and :: are always among them.`,
    default: [...PRIVATE_RANGES],
    says: 'a list of addresses and ranges',
  }),
  ip_range_whitelist: Type.Array(Type.String(), {
    description: `Addresses that it connects to all the same.`,
    default: [],
    says: 'a list of addresses and ranges',
    examples: [['192.168.1.1/32']],
  }),
  federation_verify_certificates: Type.Boolean({
    description: `Whether the certificates of other servers are checked. Without it, anybody on the way can pretend to be
any server.`,
    default: true,
  }),
  federation_certificate_verification_whitelist: Type.Array(Type.String(), {
    description: `Names whose certificates are not checked; \`*\` stands for anything.`,
    default: [],
    examples: [['lon.example.com', '*.example.com']],
  }),
  federation_custom_ca_list: Type.Optional(
    Type.Array(path({ description: `A file.` }), {
      description: `Files in PEM with the only authorities that certificates of other servers may come from; without this
setting, the usual ones.`,
      minItems: 1,
      examples: [['myCA1.pem', 'myCA2.pem']],
    }),
  ),
  federation_client_minimum_tls_version: Type.Unsafe<string | number>({
    type: ['string', 'number'],
    description: `The oldest version of TLS to speak with other servers: 1, 1.1, 1.2 or 1.3.`,
    says: 'a version of TLS',
    default: '1.2',
  }),
}

/** How connections to other servers are made and checked. */
export const connections = section({
  title: 'Connections',
  fields,
  read(values, reading): ConnectionSettings {
    const minVersion = VERSIONS.get(String(values.federation_client_minimum_tls_version) as '1.2')
    if (!minVersion) reading.fault('federation_client_minimum_tls_version', 'must be 1, 1.1, 1.2 or 1.3')
    if (!values.federation_verify_certificates) {
      reading.notice('federation_verify_certificates is off: anybody on the way can pretend to be any server')
    }
    return {
      addresses: {
        blocked: rangesOf('ip_range_blacklist', values.ip_range_blacklist, reading),
        allowed: rangesOf('ip_range_whitelist', values.ip_range_whitelist, reading),
      },
      tls: {
        authorities: values.federation_custom_ca_list?.map(
          (file) => reading.fileText('federation_custom_ca_list', resolve(file)) ?? '',
        ),
        minVersion: minVersion ?? 'TLSv1.2',
        isVerified: values.federation_verify_certificates,
        unverified: values.federation_certificate_verification_whitelist,
      },
    }
  },
})

function rangesOf(setting: string, ranges: readonly string[], reading: Reading): readonly string[] {
  for (const [index, range] of ranges.entries()) {
    if (!isRange(range)) reading.fault(`${setting}[${index}]`, 'must be an address, or a range like 10.0.0.0/8')
  }
  return ranges
}
