// SPDX-License-Identifier: Apache-2.0
import { hash, randomBytes } from 'node:crypto'
import { decodeBase64, encodeBase64, withoutPadding } from './base64.ts'
import { canonicalJson } from './canonical-json.ts'
import { expandSeed, signDetached, verifyDetached, verifyDetachedAside } from './ed25519.ts'
import { isObject, type JsonObject, member, objectMember, stringMember } from './json.ts'

/** `ed25519:` and the key's version. */
type KeyId = `ed25519:${string}`

/** A server's key pair. `privateKey` is the seed followed by the public key, as in libsodium. */
export interface SigningKey {
  readonly id: KeyId
  readonly privateKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** Returns the key pair of a seed of 32 bytes. */
export function signingKeyFromSeed(version: string, seed: Uint8Array): SigningKey {
  if (!/^[A-Za-z0-9_]+$/.test(version)) throw new RangeError('a key version must consist of letters, digits and _')
  const { privateKey, publicKey } = expandSeed(seed)
  return { id: `ed25519:${version}`, privateKey, publicKey }
}

/** Generates a key pair; tests may pass their own `random`. */
export function generateSigningKey(version: string, random: (size: number) => Uint8Array = randomBytes): SigningKey {
  return signingKeyFromSeed(version, random(32))
}

/**
 * Parses a signing key file as Synapse writes it: a line `ed25519 a_1234 <seed>` for each key. Throws a RangeError for
 * any other line.
 */
export function parseSigningKeys(text: string): SigningKey[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => {
    const [algorithm, version, encoded] = line.trim().split(/\s+/)
    const seed = decodeBase64(encoded ?? '')
    if (algorithm !== 'ed25519' || version === undefined || seed?.length !== 32) {
      throw new RangeError('a signing key must be a line "ed25519 <version> <unpadded base64 of 32 bytes>"')
    }
    return signingKeyFromSeed(version, seed)
  })
}

/** Returns the line of a signing key file for a key. */
export function printSigningKey(key: SigningKey): string {
  return `ed25519 ${key.id.slice('ed25519:'.length)} ${encodeBase64(key.privateKey.subarray(0, 32))}\n`
}

/** Returns the unpadded Base64 signature of bytes, or of a text's UTF-8. */
export function signBytes(message: Uint8Array | string, key: SigningKey): string {
  return encodeBase64(signDetached(asBytes(message), key.privateKey))
}

/** Returns whether an unpadded Base64 signature by this public key is valid for exactly these bytes. */
export function verifyBytes(message: Uint8Array | string, signature: string, publicKey: Uint8Array): boolean {
  const bytes = decodeBase64(signature)
  return bytes?.length === 64 && publicKey.length === 32 && verifyDetached(bytes, asBytes(message), publicKey)
}

/** Returns what {@link verifyBytes} does, computed on another thread: for messages that take milliseconds to hash. */
export async function verifyLongBytes(message: Uint8Array, signature: string, publicKey: Uint8Array): Promise<boolean> {
  const bytes = decodeBase64(signature)
  return bytes?.length === 64 && publicKey.length === 32 && verifyDetachedAside(bytes, message, publicKey)
}

/**
 * Returns the object with a signature added.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#signing-details
 */
export function signJson(object: JsonObject, entity: string, key: SigningKey): JsonObject {
  return withSignature(object, entity, key.id, signBytes(canonicalJson(unsignedForm(object)), key))
}

/**
 * Returns whether an object has a valid signature of this entity with this key.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature
 */
export function verifyJson(object: JsonObject, entity: string, keyId: string, publicKey: Uint8Array): boolean {
  const signature = signatureOf(object, entity, keyId)
  if (signature === undefined) return false
  try {
    return verifyBytes(canonicalJson(unsignedForm(object)), signature, publicKey)
  } catch (error) {
    if (error instanceof RangeError) return false // what has no canonical form was not signed
    throw error
  }
}

/** Returns an object without `signatures` and `unsigned`: what a signature covers. */
export function unsignedForm(object: JsonObject): JsonObject {
  const { signatures: _signatures, unsigned: _unsigned, ...rest } = object
  return rest
}

/** Returns an entity's signature with a key, undefined where there is none. */
export function signatureOf(object: JsonObject, entity: string, keyId: string): string | undefined {
  const ofEntity = objectMember(objectMember(object, 'signatures') ?? {}, entity)
  return ofEntity && stringMember(ofEntity, keyId)
}

/** Returns the key IDs under which an entity signed an object. */
export function signingKeyIds(object: JsonObject, entity: string): string[] {
  const ofEntity = objectMember(objectMember(object, 'signatures') ?? {}, entity)
  return ofEntity ? Object.keys(ofEntity) : []
}

/** Returns the object with one more signature; the others stay. */
export function withSignature(object: JsonObject, entity: string, keyId: string, signature: string): JsonObject {
  const all = objectMember(object, 'signatures') ?? {}
  const earlier = member(all, entity)
  const ofEntity = { ...(isObject(earlier) ? earlier : {}), [keyId]: signature }
  return { ...object, signatures: { ...all, [entity]: ofEntity } }
}

/** Returns the SHA-256 of a text's UTF-8, as unpadded Base64. */
export function sha256Base64(text: string): string {
  return withoutPadding(hash('sha256', text, 'base64'))
}

/** Returns the SHA-256 of a text's UTF-8, as URL-safe unpadded Base64. */
export function sha256Base64Url(text: string): string {
  return hash('sha256', text, 'base64url')
}

function asBytes(message: Uint8Array | string): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message) : message
}
