// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP, isIPv4 } from 'node:net'

/** The private address ranges that are blocked by default, as in Synapse. */
export const PRIVATE_RANGES: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '192.0.0.0/24',
  '169.254.0.0/16',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '192.0.2.0/24',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '::1/128',
  'fe80::/10',
  'fc00::/7',
  '2001:db8::/32',
  'ff00::/8',
  'fec0::/10',
]

/** The addresses of "this host", which are blocked unless the admin allows them explicitly. */
const THIS_HOST = ['0.0.0.0/8', '255.255.255.255/32', '::/128']

/**
 * Decides which addresses outgoing connections may use.
 *
 * It checks the address itself, after every lookup and redirect, so that no name can bypass it. An IPv6 address with
 * an embedded IPv4 address (mapped, compatible, NAT64, 6to4) must pass as both.
 */
export class AddressCheck {
  readonly #blocked: BlockList
  readonly #allowed: BlockList

  constructor(blocked: readonly string[] = PRIVATE_RANGES, allowed: readonly string[] = []) {
    this.#blocked = rangesOf([...blocked, ...THIS_HOST])
    this.#allowed = rangesOf(allowed)
  }

  /** Returns whether connections to an address are allowed; false for invalid addresses. */
  isAllowed(address: string): boolean {
    const [plain = ''] = address.split('%')
    if (isIP(plain) === 0) return false
    if (isIPv4(plain)) return this.#isFree(plain, 'ipv4')
    const inside = ipv4Inside(plain)
    if (inside === undefined) return this.#isFree(plain, 'ipv6')
    // A mapped address is its IPv4 address; the others are also addresses of their own.
    if (inside.isMapped) return this.#isFree(inside.address, 'ipv4')
    return this.#isFree(plain, 'ipv6') && this.#isFree(inside.address, 'ipv4')
  }

  #isFree(address: string, family: 'ipv4' | 'ipv6'): boolean {
    return this.#allowed.check(address, family) || !this.#blocked.check(address, family)
  }
}

/** Returns whether a text is an address, or a range written `address/bits`. */
export function isRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** Returns a block list of these ranges; throws a RangeError for an invalid one. */
export function rangesOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    if (!isRange(range)) throw new RangeError(`${range} is not an address range`)
    const [address = '', bits] = range.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family)
  }
  return list
}

/** Returns the IPv4 address embedded in an IPv6 address, if any. */
function ipv4Inside(address: string): { readonly address: string; readonly isMapped: boolean } | undefined {
  const words = wordsOf(address)
  const last = dotted(words[6], words[7])
  const leading = words.slice(0, 6)
  const isZero = (count: number): boolean => leading.slice(0, count).every((word) => word === 0)
  if (isZero(5) && leading[5] === 0xffff) return { address: last, isMapped: true }
  // ::a.b.c.d, except :: and ::1.
  if (isZero(6) && (words[6] !== 0 || (words[7] ?? 0) > 1)) return { address: last, isMapped: false }
  if (words[0] === 0x64 && words[1] === 0xff9b) return { address: last, isMapped: false }
  // ::ffff:0:a.b.c.d, translated.
  if (isZero(4) && leading[4] === 0xffff && leading[5] === 0) return { address: last, isMapped: false }
  if (words[0] === 0x2002) return { address: dotted(words[1], words[2]), isMapped: false }
  return undefined
}

/** Returns the eight words of a valid IPv6 address. */
function wordsOf(address: string): number[] {
  const spelled = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = spelled.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return [...front, ...gap, ...back].map((word) => Number.parseInt(word, 16))
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
