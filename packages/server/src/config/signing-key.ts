// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import type { Random } from '@myelin/kit/random'

/** The key that signs what this server says. */
export interface SigningKey {
  /** `ed25519:` and the key's version. */
  readonly id: string
  /** The 32 bytes the key pair is made of. */
  readonly seed: Uint8Array
}

/** A signing key file that cannot be used, and what to do about it. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

const LINE = /^ed25519 ([A-Za-z0-9_]+) ([A-Za-z0-9+/]{43})=?$/

/**
 * The signing key in a file of Synapse's form: `ed25519 a_Abcd ` and the seed in base64.
 *
 * Synapse allows several lines and signs with the first; so do we.
 */
export function readSigningKey(path: string): SigningKey {
  const lines = textOf(path).split('\n')
  const match = LINE.exec(lines.find((line) => line.trim() !== '')?.trim() ?? '')
  if (!match) throw new SigningKeyError(`names ${path}, which does not begin with a line "ed25519 VERSION SEED"`)
  return { id: `ed25519:${match[1]}`, seed: new Uint8Array(Buffer.from(match[2]!, 'base64')) }
}

/** Makes a key and writes it where only this user can read it; refuses to write over a file. */
export function writeSigningKey(path: string, random: Random): SigningKey {
  const version = `a_${random.token(4)}`
  const seed = new Uint8Array(random.bytes(32))
  const line = `ed25519 ${version} ${Buffer.from(seed).toString('base64').replace(/=+$/, '')}\n`
  writeFileSync(path, line, { flag: 'wx', mode: 0o600 })
  return { id: `ed25519:${version}`, seed }
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
