// SPDX-License-Identifier: Apache-2.0
import { hash, randomBytes } from 'node:crypto'

/** The only source of chance. */
export interface Random {
  /** Returns that many unpredictable bytes. */
  bytes(count: number): Uint8Array
  /** A word of that many characters out of `A-Za-z0-9`, each equally likely. */
  token(characters: number): string
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Bytes from here on would favor the first letters, so they are thrown away. */
const FAIR_LIMIT = 256 - (256 % LETTERS.length)

/** Chance from the operating system, fit for secrets. */
export const systemRandom: Random = randomFrom((count) => randomBytes(count))

/** Returns a random source that repeats itself for the same seed: for tests, never for secrets. */
export function seededRandom(seed: string): Random {
  let block = 0
  let rest = Buffer.alloc(0)
  return randomFrom((count) => {
    while (rest.length < count) rest = Buffer.concat([rest, hash('sha256', `${seed} ${block++}`, 'buffer')])
    const taken = rest.subarray(0, count)
    rest = rest.subarray(count)
    return Uint8Array.from(taken)
  })
}

function randomFrom(bytes: (count: number) => Uint8Array): Random {
  return {
    bytes,
    token(characters) {
      let word = ''
      while (word.length < characters) {
        for (const byte of bytes(characters - word.length))
          if (byte < FAIR_LIMIT) word += LETTERS[byte % LETTERS.length]
      }
      return word
    },
  }
}
