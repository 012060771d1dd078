// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { isRange, PRIVATE_RANGES } from '@myelin/remote/sockets/address-check'
import { type ProxyAddress, proxyIn, type ProxySettings } from '@myelin/remote/sockets/proxy'
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
  readonly proxy: ProxySettings
}

const VERSIONS = new Map([
  ['1', 'TLSv1'],
  ['1.0', 'TLSv1'],
  ['1.1', 'TLSv1.1'],
  ['1.2', 'TLSv1.2'],
  ['1.3', 'TLSv1.3'],
] as const)

const PROXY_FORM = 'a proxy like http://USER:PASSWORD@HOST:PORT'

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
  https_proxy: Type.Optional(
    Type.String({
      description: `The proxy that leads to other servers. It is asked with CONNECT, and certificates are checked
through it as without it. The port is 1080 where none is named; https:// means that the proxy itself is spoken with over
TLS, and its certificate checked like those of other servers; characters in the password may be written as %XX. Without this setting the environment variable \`https_proxy\`
or \`HTTPS_PROXY\` counts; an empty text is no proxy. Names are then looked up by the proxy: it is the proxy that must
keep this server from private addresses.`,
      says: PROXY_FORM,
      examples: ['http://USERNAME:PASSWORD@proxy.example.com:8080/'],
    }),
  ),
  http_proxy: Type.Optional(
    Type.String({
      description: `The proxy for requests without TLS, in the same way. Myelin makes none of those today, so nothing goes
through it.`,
      says: PROXY_FORM,
      examples: ['http://USERNAME:PASSWORD@10.0.1.1:8080/'],
    }),
  ),
  no_proxy_hosts: Type.Optional(
    Type.Array(Type.String(), {
      description: `Who is connected to without the proxy: hosts, each with everything below it, addresses and ranges of
addresses, each with a port or without; \`*\` is everybody. Ranges are for places that are named by address. Without
this setting the environment variable \`no_proxy\` or \`NO_PROXY\` counts, with commas in between.`,
      examples: [['master.hostname.example.com', '10.1.0.0/16', '172.30.0.0/16']],
    }),
  ),
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
      proxy: proxyOf(values, reading),
    }
  },
})

function proxyOf(
  values: { readonly http_proxy?: string; readonly https_proxy?: string; readonly no_proxy_hosts?: readonly string[] },
  reading: Reading,
): ProxySettings {
  const read = (key: 'http_proxy' | 'https_proxy'): ProxyAddress | undefined => {
    const text = values[key] ?? reading.environment(key)
    if (text === undefined || text === '') return undefined
    const proxy = proxyIn(text)
    // What was written is not repeated: there may be a password in it.
    const where = values[key] === undefined ? ' in the environment' : ''
    if (!proxy) reading.fault(key, `${where} must be ${PROXY_FORM}`.trim())
    return proxy
  }
  read('http_proxy')
  const exceptions = values.no_proxy_hosts ?? reading.environment('no_proxy')?.split(',') ?? []
  return { https: read('https_proxy'), exceptions }
}

function rangesOf(setting: string, ranges: readonly string[], reading: Reading): readonly string[] {
  for (const [index, range] of ranges.entries()) {
    if (!isRange(range)) reading.fault(`${setting}[${index}]`, 'must be an address, or a range like 10.0.0.0/8')
  }
  return ranges
}
