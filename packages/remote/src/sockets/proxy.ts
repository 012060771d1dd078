// SPDX-License-Identifier: Apache-2.0
import { type BlockList, isIP, isIPv4 } from 'node:net'
import { isRange, rangesOf } from './address-check.ts'

/** A proxy for tunnels. */
export interface ProxyAddress {
  /** The connection to the proxy uses TLS. */
  readonly isSecure: boolean
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** The value of `Proxy-Authorization`, if any. */
  readonly authorization: string | undefined
}

/** The proxy for outgoing connections, and its exceptions. */
export interface ProxySettings {
  readonly https: ProxyAddress | undefined
  /** Hosts, domains, addresses and ranges, with or without a port; `*` is every host. */
  readonly exceptions: readonly string[]
}

const DEFAULT_PORT = 1080
const FORM = /^(?:(https?):\/\/)?(.+)$/i

/**
 * Parses a proxy of the form `[scheme://][user:password@]host[:port]`; undefined for any other text.
 *
 * The scheme is `http` or `https`, by default `http`, and the default port 1080, as in Synapse.
 */
export function proxyIn(text: string): ProxyAddress | undefined {
  const [, scheme = 'http', rest = ''] = FORM.exec(text.trim()) ?? []
  // A scheme known to the parser would hide its default port.
  const address = `proxy://${rest}`
  if (!URL.canParse(address)) return undefined
  const { hostname, port, username, password, pathname, search, hash } = new URL(address)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isPlain = (pathname === '' || pathname === '/') && search === '' && hash === ''
  if (!isPlain || !isHost(host) || port === '0') return undefined
  return {
    isSecure: scheme.toLowerCase() === 'https',
    host,
    port: port === '' ? DEFAULT_PORT : Number(port),
    authorization: username === '' ? undefined : basic(unescaped(username), unescaped(password)),
  }
}

/**
 * Returns whether a text may be a host in a request line: a name of letters, digits, `.`, `-` and `_`, or an address.
 */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9._-]{1,255}$/i.test(text)
}

/**
 * Returns the address that a host name encodes without a lookup, such as `127.1`, `0x7f000001` and `localhost`;
 * undefined for any other name. A proxy may read a name so that looks like an ordinary one here.
 */
export function spelledAddress(host: string): string | undefined {
  if (isIP(host) !== 0) return host
  const address = `https://${host}/`
  const { hostname } = URL.canParse(address) ? new URL(address) : { hostname: host }
  if (isIP(hostname) !== 0) return hostname
  return /^(.*\.)?localhost\.?$/i.test(host) ? '127.0.0.1' : undefined
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

function unescaped(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'))
}

/** The hosts that are reached without the proxy. */
export class ProxyExceptions {
  readonly #ranges: BlockList
  readonly #names: readonly (readonly [name: string, port: number | undefined])[]
  readonly #isEverybody: boolean

  constructor(entries: readonly string[]) {
    const words = entries.map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== '')
    const bare = words.map((word) => word.replace(/^\[([^\]]*)\]$/, '$1'))
    this.#isEverybody = words.includes('*')
    this.#ranges = rangesOf(bare.filter(isRange))
    this.#names = bare.filter((word) => !isRange(word)).map(nameAndPort)
  }

  /**
   * Returns whether a host, a name or an address without brackets, is an exception; a domain includes its subdomains.
   */
  cover(host: string, port: number): boolean {
    if (this.#isEverybody) return true
    const name = host.toLowerCase().replace(/\.$/, '')
    const isAddress = isIP(name) !== 0
    if (isAddress && this.#ranges.check(name, isIPv4(name) ? 'ipv4' : 'ipv6')) return true
    return this.#names.some(([known, only]) => {
      if (only !== undefined && only !== port) return false
      return name === known || (!isAddress && name.endsWith(`.${known}`))
    })
  }
}

/** Parses `host:port`, `[address]:port`, `host` or `.domain`. */
function nameAndPort(word: string): readonly [string, number | undefined] {
  const [, host = word, port] = /^(.*):(\d{1,5})$/.exec(word) ?? []
  const name = host.replace(/^\[([^\]]*)\]$/, '$1').replace(/^\*?\./, '')
  return [name, port === undefined ? undefined : Number(port)]
}
