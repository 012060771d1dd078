// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { ServerKey } from '@myelin/storage/federation/server-keys'

/** A key to find: `validAt` is the time in milliseconds at which it must have been valid, 0 for any time. */
export interface KeyWanted {
  readonly server: ServerName
  readonly keyId: string
  readonly validAt: number
}

/** The longest time for which a key is accepted after it was fetched, so that its owner can revoke it. */
export const MAX_VALIDITY_MS = 7 * 24 * 3_600_000

/** Returns whether a text is the ID of an Ed25519 key; deployed servers use more characters than the spec allows. */
export function isKeyId(text: string): boolean {
  return /^ed25519:[\x21-\x7e]{1,128}$/.test(text)
}

/** Keys of many servers with their validity. */
export class KeyRing {
  readonly #keys = new Map<ServerName, Map<string, ServerKey>>()

  /** Adds a key; {@link settledKey} merges it with a known one. */
  add(server: ServerName, key: ServerKey): void {
    const ofServer = this.#keys.get(server) ?? new Map<string, ServerKey>()
    this.#keys.set(server, ofServer.set(key.keyId, settledKey(ofServer.get(key.keyId), key)))
  }

  /**
   * Returns a server's key of that ID, if it was valid at that time.
   *
   * @see https://spec.matrix.org/v1.19/server-server-api/#publishing-keys
   */
  keyFor(server: ServerName, keyId: string, validAt: number): Uint8Array | undefined {
    const key = this.#keys.get(server)?.get(keyId)
    return key && isValidAt(key, validAt) ? key.publicKey : undefined
  }

  /** Returns whether fetching the server's keys again could not change the answer for this key. */
  isSettled({ server, keyId, validAt }: KeyWanted): boolean {
    const key = this.#keys.get(server)?.get(keyId)
    return key !== undefined && (key.isOld || isValidAt(key, validAt))
  }
}

/**
 * Merges two versions of a key.
 *
 * Notaries may send old documents, so the one that arrives later need not be newer: an old key stays old, and validity
 * only grows. Where the bytes under a key ID differ, the version with the longer validity wins.
 */
export function settledKey(known: ServerKey | undefined, received: ServerKey): ServerKey {
  if (!known) return received
  const isSame = Buffer.from(known.publicKey).equals(received.publicKey)
  if (isSame && known.isOld !== received.isOld) return known.isOld ? known : received
  if (known.isOld && received.isOld) return known.validUntilTs < received.validUntilTs ? known : received
  return known.validUntilTs > received.validUntilTs ? known : received
}

function isValidAt(key: ServerKey, validAt: number): boolean {
  if (validAt === 0) return true
  return key.isOld ? validAt < key.validUntilTs : validAt <= key.validUntilTs
}
