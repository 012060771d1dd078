// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'

/** Random draws that depend on the seed only. */
export class Chance {
  readonly #seed: string
  #drawn = 0

  constructor(seed: string) {
    this.#seed = seed
  }

  /** From 0 up to 1. */
  share(): number {
    return hash('sha256', `${this.#seed} ${this.#drawn++}`, 'buffer').readUInt32BE(0) / 2 ** 32
  }

  /** A whole number below that one. */
  below(count: number): number {
    return Math.floor(this.share() * count)
  }

  /** One of these, each as likely as the others. */
  pick<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0]
  }
}
