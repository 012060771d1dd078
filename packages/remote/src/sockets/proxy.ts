// SPDX-License-Identifier: Apache-2.0
import { type BlockList, isIP, isIPv4 } from 'node:net'
import { isRange, rangesOf } from './address-check.ts'

/** A proxy that tunnels are opened through. */
export interface ProxyAddress {
  /** Whether the proxy itself is spoken with over TLS. */
  readonly isSecure: boolean
  /** A name or an address, without brackets. */
  readonly host: string
  readonly port: number
  /** What the proxy wants to see, as a value of `Proxy-Authorization`. */
  readonly authorization: string | undefined
}

/** Which proxy leads to others, and who is reached without it. */
export interface ProxySettings {
  readonly https: ProxyAddress | undefined
  /** Hosts, domains, addresses and ranges, each with a port or without; `*` is everybody. */
  readonly exceptions: readonly string[]
}

const DEFAULT_PORT = 1080
const FORM = /^(?:(https?):\/\/)?(.+)$/i

/**
 * A proxy as `[scheme://][user:password@]host[:port]` names it; undefined where the text does not.
 *
 * The scheme is `http` or `https`, `http` where there is none, and the port 1080, as Synapse has it.
 */
export function proxyIn(text: string): ProxyAddress | undefined {
  const [, scheme = 'http', rest = ''] = FORM.exec(text.trim()) ?? []
  // A scheme that the parser knows would hide its own default port.
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

/** Whether a text may stand for a host in a request line: a name of letters, digits, `.`, `-` and `_`, or an address. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[a-z0-9._-]{1,255}$/i.test(text)
}

/**
 * The address that a host name spells without any lookup: `127.1`, `0x7f000001` and `localhost` are one as well.
 *
 * Whoever looks names up for us may read them so, where we would only see a name. Undefined for any other name.
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

/** Who is reached without the proxy. */
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

  /** Whether a host, a name or an address without brackets, is one of them; a domain covers what is below it. */
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

/** `host:port`, `[address]:port`, `host` or `.domain`. */
function nameAndPort(word: string): readonly [string, number | undefined] {
  const [, host = word, port] = /^(.*):(\d{1,5})$/.exec(word) ?? []
  const name = host.replace(/^\[([^\]]*)\]$/, '$1').replace(/^\*?\./, '')
  return [name, port === undefined ? undefined : Number(port)]
}
