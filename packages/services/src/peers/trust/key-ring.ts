// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { ServerKey } from '@myelin/storage/federation/server-keys'

/** A key to look for: `validAt` is the time in milliseconds at which it must have been valid, 0 for whenever. */
export interface KeyWanted {
  readonly server: ServerName
  readonly keyId: string
  readonly validAt: number
}

/** No key is believed for longer than this from when it was heard of, so that its owner can take it back. */
export const LONGEST_VALIDITY_MS = 7 * 24 * 3_600_000

/** Whether a text can name an Ed25519 key: servers in the wild are looser about versions than the spec. */
export function isKeyId(text: string): boolean {
  return /^ed25519:[\x21-\x7e]{1,128}$/.test(text)
}

/** Keys of many servers, and when each was valid. */
export class KeyRing {
  readonly #keys = new Map<ServerName, Map<string, ServerKey>>()

  /** Adds a key; what is known already is settled by {@link settledKey}. */
  add(server: ServerName, key: ServerKey): void {
    const ofServer = this.#keys.get(server) ?? new Map<string, ServerKey>()
    this.#keys.set(server, ofServer.set(key.keyId, settledKey(ofServer.get(key.keyId), key)))
  }

  /**
   * A server's key of that name, if it was valid then.
   *
   * @see https://spec.matrix.org/v1.19/server-server-api/#publishing-keys
   */
  keyFor(server: ServerName, keyId: string, validAt: number): Uint8Array | undefined {
    const key = this.#keys.get(server)?.get(keyId)
    return key && isValidAt(key, validAt) ? key.publicKey : undefined
  }

  /** Whether asking the server again could make it say more about this key. */
  isSettled({ server, keyId, validAt }: KeyWanted): boolean {
    const key = this.#keys.get(server)?.get(keyId)
    return key !== undefined && (key.isOld || isValidAt(key, validAt))
  }
}

/**
 * What is to be believed of a key that was heard of twice.
 *
 * Notaries tell what they heard long ago, so the later word is not always the newer one: a key that was retired stays
 * so, and validity only grows. Other bytes under a known ID are believed where they are vouched for longer.
 */
export function settledKey(known: ServerKey | undefined, heard: ServerKey): ServerKey {
  if (!known) return heard
  const isSame = Buffer.from(known.publicKey).equals(heard.publicKey)
  if (isSame && known.isOld !== heard.isOld) return known.isOld ? known : heard
  if (known.isOld && heard.isOld) return known.validUntilTs < heard.validUntilTs ? known : heard
  return known.validUntilTs > heard.validUntilTs ? known : heard
}

function isValidAt(key: ServerKey, validAt: number): boolean {
  if (validAt === 0) return true
  return key.isOld ? validAt < key.validUntilTs : validAt <= key.validUntilTs
}
