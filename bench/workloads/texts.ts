// SPDX-License-Identifier: Apache-2.0

const SYLLABLES = 'ka to re min sol ver an de ti pro con lu ste gra ne ou ber hal is ur'.split(' ')
const WORDS = 50_000
const RUNS = 8_000

/** Texts of two scripts, the same for the same seed: every other one in Latin words, the others in Chinese characters. */
export class Texts {
  #seed: number
  readonly #words: string[]
  readonly #runs: string[]

  constructor(seed = 1) {
    this.#seed = seed
    this.#words = Array.from({ length: WORDS }, (_, index) => this.#made(SYLLABLES, 1 + (index % 4)) + (index % 97))
    this.#runs = Array.from({ length: RUNS }, (_, index) => this.#characters(index < 600 ? 1 : 2))
  }

  /** Returns the next text: 4 to 15 words, whose frequencies fall as in a language. */
  next(serial: number): string {
    const count = 4 + Math.floor(this.#random() * 12)
    const list = serial % 2 === 0 ? this.#words : this.#runs
    const parts = Array.from({ length: count }, () => list[this.#rankBelow(list.length)] ?? '')
    return parts.join(serial % 2 === 0 ? ' ' : '')
  }

  /** Returns the word of a rank, the most frequent first. */
  word(rank: number): string {
    return this.#words[rank] ?? ''
  }

  /** Returns the run of characters of a rank, the most frequent first. */
  run(rank: number): string {
    return this.#runs[rank] ?? ''
  }

  #made(parts: readonly string[], count: number): string {
    return Array.from({ length: count }, () => parts[Math.floor(this.#random() * parts.length)] ?? '').join('')
  }

  #characters(count: number): string {
    return Array.from({ length: count }, () => String.fromCharCode(0x4e00 + this.#rankBelow(3_000))).join('')
  }

  /** Returns a rank whose probability is about its inverse. */
  #rankBelow(size: number): number {
    return Math.min(size - 1, Math.floor(Math.exp(this.#random() * Math.log(size + 1))) - 1)
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return this.#seed / 0x80000000
  }
}
