// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'

/** The used part of libsodium. */
interface Sodium {
  crypto_sign_seed_keypair(publicKey: Uint8Array, privateKey: Uint8Array, seed: Uint8Array): void
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, privateKey: Uint8Array): void
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

/** An Ed25519 implementation over raw bytes; all implementations give the same results. */
export interface Ed25519 {
  readonly expandSeed: (seed: Uint8Array) => { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array }
  readonly signDetached: (message: Uint8Array, privateKey: Uint8Array) => Uint8Array
  readonly verifyDetached: (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean
}

/** Returns Ed25519 by libsodium, twice as fast as Node's own; undefined where it is not installed or has no build for this machine. */
export function sodiumEd25519(): Ed25519 | undefined {
  let sodium: Sodium
  try {
    sodium = createRequire(import.meta.url)('sodium-native') as Sodium
  } catch {
    return undefined
  }
  return {
    expandSeed(seed) {
      const publicKey = Buffer.alloc(32)
      const privateKey = Buffer.alloc(64)
      sodium.crypto_sign_seed_keypair(publicKey, privateKey, asBuffer(seed))
      return { privateKey, publicKey }
    },
    signDetached(message, privateKey) {
      const signature = Buffer.allocUnsafe(64)
      sodium.crypto_sign_detached(signature, asBuffer(message), asBuffer(privateKey))
      return signature
    },
    verifyDetached: (signature, message, publicKey) =>
      sodium.crypto_sign_verify_detached(asBuffer(signature), asBuffer(message), asBuffer(publicKey)),
  }
}

const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex')

/** The y coordinates of the eight points of small order, in every encoding of 32 bytes, without the sign bit. */
const SMALL_ORDER = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

/** Ed25519 by Node itself. Weak points are refused here, so that an event's validity does not depend on the library. */
export const nodeEd25519: Ed25519 = {
  expandSeed(seed) {
    if (seed.length !== 32) throw new RangeError('a seed must have 32 bytes')
    const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' })
    const publicKey = spki.subarray(SPKI_HEADER.length)
    return { privateKey: Buffer.concat([seed, publicKey]), publicKey }
  },
  signDetached: (message, privateKey) => sign(null, message, privateKeyOf(privateKey.subarray(0, 32))),
  verifyDetached(signature, message, publicKey) {
    if (isWeak(publicKey) || isWeak(signature.subarray(0, 32))) return false
    return verify(null, message, publicKeyOf(publicKey), signature)
  },
}

/** Returns what `verifyDetached` does, computed on another thread: for messages that take milliseconds to hash. */
export function verifyDetachedAside(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): Promise<boolean> {
  if (isWeak(publicKey) || isWeak(signature.subarray(0, 32))) return Promise.resolve(false)
  return new Promise((resolve) => {
    verify(null, message, publicKeyOf(publicKey), signature, (fault, isValid) => resolve(!fault && isValid))
  })
}

/** The fastest available Ed25519. */
export const { expandSeed, signDetached, verifyDetached } = sodiumEd25519() ?? nodeEd25519

/** Returns whether 32 bytes encode a point of small order, or a y coordinate that is not below the prime. */
export function isWeak(point: Uint8Array): boolean {
  const hex = Buffer.from(point).toString('hex')
  const sign = Number.parseInt(hex.slice(62), 16)
  const y = hex.slice(0, 62) + (sign & 0x7f).toString(16).padStart(2, '0')
  return SMALL_ORDER.has(y) || (y.endsWith(`${'ff'.repeat(30)}7f`) && Number.parseInt(y.slice(0, 2), 16) >= 0xed)
}

function publicKeyOf(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEADER, publicKey]), format: 'der', type: 'spki' })
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: 'der', type: 'pkcs8' })
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
