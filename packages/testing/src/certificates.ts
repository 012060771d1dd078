// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its key, in PEM. */
interface Certified {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of one's own. */
export interface Authority {
  /** Its own certificate, in PEM: what trusts it needs this. */
  readonly cert: string
  /** Issues a certificate for these host names and addresses, which never expires during a test. */
  issue(names: readonly string[]): Certified
}

/** Creates a certificate authority. */
export function testAuthority(name = 'Test authority'): Authority {
  const keys = newKeys()
  const own = certificate({
    issuer: name,
    subject: name,
    publicKey: keys.publicKey,
    signer: keys.privateKey,
    isAuthority: true,
  })
  return {
    cert: own,
    issue(names) {
      const { publicKey, privateKey } = newKeys()
      const subject = names[0] ?? 'nobody'
      const cert = certificate({ issuer: name, subject, publicKey, signer: keys.privateKey, names })
      return { cert, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) }
    },
  }
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

interface Draft {
  readonly issuer: string
  readonly subject: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly names?: readonly string[]
  readonly isAuthority?: boolean
}

let serial = 0

/** Returns an X.509 certificate with the fields of RFC 5280 that TLS needs. */
function certificate(draft: Draft): string {
  const body = sequence(
    tagged(0xa0, integer(2)),
    integer(++serial),
    SIGNED_BY_ECDSA,
    nameOf(draft.issuer),
    sequence(time('20200101000000Z'), time('21200101000000Z')),
    nameOf(draft.subject),
    draft.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensionsOf(draft))),
  )
  const signature = sign('sha256', body, draft.signer)
  const der = sequence(body, SIGNED_BY_ECDSA, bits(signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function extensionsOf({ names = [], isAuthority = false }: Draft): Buffer[] {
  const constraints = extension('551d13', isAuthority ? sequence(tagged(0x01, Buffer.from([0xff]))) : sequence())
  if (names.length === 0) return [constraints]
  const alternatives = names.map((name) =>
    isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressBytes(name)),
  )
  return [constraints, extension('551d11', sequence(...alternatives))]
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === '' ? [] : tail.split(':')
  const words = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back]
  return Buffer.from(words.map((word) => word.padStart(4, '0')).join(''), 'hex')
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(tagged(0x06, Buffer.from(id, 'hex')), tagged(0x04, value))
}

function nameOf(commonName: string): Buffer {
  return sequence(
    tagged(0x31, sequence(tagged(0x06, Buffer.from('550403', 'hex')), tagged(0x0c, Buffer.from(commonName)))),
  )
}

function time(text: string): Buffer {
  return tagged(0x18, Buffer.from(text))
}

function integer(value: number): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return tagged(0x02, (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

function bits(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function tagged(tag: number, body: Buffer): Buffer {
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}

const SIGNED_BY_ECDSA = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
