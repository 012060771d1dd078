// SPDX-License-Identifier: Apache-2.0
import { decodeBase64, encodeBase64 } from '@myelin/matrix/base64'
import { objectMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'

/** An Ed25519 public key with its names. */
export interface PublicKey {
  /** `ed25519:` and the name. */
  readonly id: string
  /** The key in unpadded Base64; it takes the place of a device ID. */
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Returns the public key of a cross-signing key; undefined if it has none, several, or one under another name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#cross-signing
 */
export function publicKeyOf(key: JsonObject): PublicKey | undefined {
  const [only, ...others] = Object.entries(objectMember(key, 'keys') ?? {})
  if (!only || others.length > 0) return undefined
  const [id, name] = only
  if (typeof name !== 'string' || id !== `ed25519:${name}`) return undefined
  const found = ed25519Key(id, name)
  // One key cannot have two spellings.
  return found && encodeBase64(found.bytes) === name ? found : undefined
}

/** Returns a device's signing key. */
export function deviceKeyOf(deviceId: string, deviceKeys: JsonObject): PublicKey | undefined {
  const id = `ed25519:${deviceId}`
  const keys = objectMember(deviceKeys, 'keys') ?? {}
  const encoded = Object.hasOwn(keys, id) ? keys[id] : undefined
  const found = typeof encoded === 'string' ? ed25519Key(id, encoded) : undefined
  return found && { ...found, name: deviceId }
}

function ed25519Key(id: string, encoded: string): PublicKey | undefined {
  const bytes = decodeBase64(encoded)
  return bytes?.length === 32 ? { id, name: encoded, bytes } : undefined
}
