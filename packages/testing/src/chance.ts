// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@myelin/kit/random'

/** Chance that a seed repeats. */
export interface Chance {
  /** From 0 to 1, without 1. */
  part(): number
  /** From `least` to `most`, without `most`. */
  between(least: number, most: number): number
  pick<T>(choices: readonly T[]): T
}

/** Returns a random stream for a seed. */
export function chanceOf(seed: string): Chance {
  const random = seededRandom(seed)
  const part = () => Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32
  return {
    part,
    between: (least, most) => least + part() * (most - least),
    pick: <T>(choices: readonly T[]) => choices[Math.floor(part() * choices.length)] as T,
  }
}
