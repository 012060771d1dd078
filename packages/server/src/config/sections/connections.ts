// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { isRange, PRIVATE_RANGES } from '@myelin/remote/sockets/address-check'
import { type ProxyAddress, proxyIn, type ProxySettings } from '@myelin/remote/sockets/proxy'
import { Type } from 'typebox'
import { path, type Reading, section } from '../values/section.ts'

/** The part of {@link connections} that the transport reads. */
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
    /** Certificates of other servers are verified. */
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
    description: `The addresses that outgoing connections are refused to, whichever host name resolves to them. The list replaces
the default. 0.0.0.0/8 and :: are always refused.`,
    default: [...PRIVATE_RANGES],
    takes: 'a list of addresses and ranges',
  }),
  ip_range_whitelist: Type.Array(Type.String(), {
    description: `Exceptions from \`ip_range_blacklist\`.`,
    default: [],
    takes: 'a list of addresses and ranges',
    examples: [['192.168.1.1/32']],
  }),
  https_proxy: Type.Optional(
    Type.String({
      description: `The proxy for requests to other servers, which are tunneled with CONNECT. Certificates are verified as without a
proxy. The default port is 1080. With https:// the connection to the proxy uses TLS, and its certificate is
verified like those of other servers. Special characters of the password are written as %XX. Without this
setting the environment variable \`https_proxy\` or \`HTTPS_PROXY\` applies; an empty text disables the proxy.
The proxy resolves host names, so the proxy must block private addresses.`,
      takes: PROXY_FORM,
      examples: ['http://USERNAME:PASSWORD@proxy.example.com:8080/'],
    }),
  ),
  http_proxy: Type.Optional(
    Type.String({
      description: `The proxy for requests without TLS, in the same notation. It has no effect: such requests, to push gateways and web pages, are
tunneled through \`https_proxy\`, too.`,
      takes: PROXY_FORM,
      examples: ['http://USERNAME:PASSWORD@10.0.1.1:8080/'],
    }),
  ),
  no_proxy_hosts: Type.Optional(
    Type.Array(Type.String(), {
      description: `The destinations that bypass the proxy: host names (with their subdomains), addresses and ranges of addresses,
each with or without a port; \`*\` means all. Ranges match destinations that are named by address. Without this
setting the environment variable \`no_proxy\` or \`NO_PROXY\` applies, separated by commas.`,
      examples: [['master.hostname.example.com', '10.1.0.0/16', '172.30.0.0/16']],
    }),
  ),
  federation_verify_certificates: Type.Boolean({
    description: `Whether certificates of other servers are verified. If not, an attacker on the network path can impersonate any
server.`,
    default: true,
  }),
  federation_certificate_verification_whitelist: Type.Array(Type.String(), {
    description: `The server names whose certificates are not verified; \`*\` matches any text.`,
    default: [],
    examples: [['lon.example.com', '*.example.com']],
  }),
  federation_custom_ca_list: Type.Optional(
    Type.Array(path({ description: `A file.` }), {
      description: `PEM files with the certificate authorities to trust for other servers. They replace the default authorities.`,
      minItems: 1,
      examples: [['myCA1.pem', 'myCA2.pem']],
    }),
  ),
  federation_client_minimum_tls_version: Type.Unsafe<string | number>({
    type: ['string', 'number'],
    description: `The minimum TLS version for connections to other servers: 1, 1.1, 1.2 or 1.3.`,
    takes: 'a version of TLS',
    default: '1.2',
  }),
}

/** Settings of outgoing connections: proxies, certificates, timeouts. */
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
    // The value is not repeated, because it may contain a password.
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
