// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import type { Random } from '@myelin/kit/random'
import { isBannedKey } from '@myelin/matrix/banned-keys'
import { generateSigningKey, parseSigningKeys, printSigningKey, type SigningKey } from '@myelin/matrix/signatures'

/** A signing key file that cannot be used, and what to do about it. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

/**
 * The signing key in a file of Synapse's form: `ed25519 a_Abcd ` and the seed in base64.
 *
 * Synapse allows several lines and signs with the first; so do we.
 */
export function readSigningKey(path: string): SigningKey {
  const key = firstKeyIn(textOf(path))
  if (!key) throw new SigningKeyError(`names ${path}, which has something else in it than lines "ed25519 VERSION SEED"`)
  if (isBannedKey(key.publicKey)) {
    throw new SigningKeyError(
      `names ${path}, whose key has been published; make another with: myelin generate-signing-key`,
    )
  }
  return key
}

/** Makes a key and writes it where only this user can read it; refuses to write over a file. */
export function writeSigningKey(path: string, random: Random): SigningKey {
  const key = generateSigningKey(`a_${random.token(4)}`, (size) => random.bytes(size))
  writeFileSync(path, printSigningKey(key), { flag: 'wx', mode: 0o600 })
  return key
}

function firstKeyIn(text: string): SigningKey | undefined {
  try {
    return parseSigningKeys(text)[0]
  } catch (error) {
    if (error instanceof RangeError) return undefined
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
