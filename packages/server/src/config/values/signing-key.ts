// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import type { Random } from '@myelin/kit/random'
import { isBannedKey } from '@myelin/matrix/banned-keys'
import { generateSigningKey, parseSigningKeys, printSigningKey, type SigningKey } from '@myelin/matrix/signatures'

/** A signing key file that cannot be used, and what to do about it. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

/** The keys of a signing key file, in its order; never empty. */
export type SigningKeys = readonly [first: SigningKey, ...others: SigningKey[]]

/**
 * The signing keys in a file of Synapse's form: a line `ed25519 a_Abcd ` and the seed in base64 for each.
 *
 * The first signs events and requests; all are published. Throws a {@link SigningKeyError} where the file is not there,
 * has something else in it, or names a key twice.
 */
export function readSigningKeys(path: string): SigningKeys {
  const [first, ...others] = keysIn(textOf(path))
  if (!first)
    throw new SigningKeyError(`names ${path}, which has something else in it than lines "ed25519 VERSION SEED"`)
  const keys: SigningKeys = [first, ...others]
  const ids = keys.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice) throw new SigningKeyError(`names ${path}, which has two keys under the name ${twice}; rename one`)
  if (keys.some(({ publicKey }) => isBannedKey(publicKey))) {
    throw new SigningKeyError(
      `names ${path}, which has a key that has been published; make another with: myelin generate-signing-key`,
    )
  }
  return keys
}

/**
 * Returns the first key of a file of Synapse's form, under the name of a policy server's key.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures
 */
export function readPolicyKey(path: string): SigningKey {
  return { ...readSigningKeys(path)[0], id: 'ed25519:policy_server' }
}

/** Makes a key and writes it where only this user can read it; refuses to write over a file. */
export function writeSigningKey(path: string, random: Random): SigningKey {
  const key = generateSigningKey(`a_${random.token(4)}`, (size) => random.bytes(size))
  writeFileSync(path, printSigningKey(key), { flag: 'wx', mode: 0o600 })
  return key
}

function keysIn(text: string): readonly SigningKey[] {
  try {
    return parseSigningKeys(text)
  } catch (error) {
    if (error instanceof RangeError) return []
    throw error
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'which is not there' : 'which cannot be read'
    const advice = 'copy the old one there, or make one with: myelin generate-signing-key -o FILE'
    throw new SigningKeyError(`names ${path}, ${reason}; ${advice}`, { cause: error })
  }
}
