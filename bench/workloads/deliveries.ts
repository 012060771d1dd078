// SPDX-License-Identifier: Apache-2.0
import { latencyOf, round } from '@myelin/testing/latency'

/** The times at which each message is delivered to each waiting client. */
export class Deliveries {
  readonly #sentMs = new Map<string, number>()
  readonly #takenMs = new Map<string, number[]>()
  bytes = 0
  bodies = 0

  /** Notes that a message starts on its way; its text is found again in bodies. */
  sending(text: string): void {
    this.#sentMs.set(text, performance.now())
    this.#takenMs.set(text, [])
  }

  /** Notes what a client was given. */
  arrived(body: string): void {
    const nowMs = performance.now()
    this.bytes += body.length
    this.bodies++
    for (const [text] of body.matchAll(/mark-\d+-/g)) {
      const sentMs = this.#sentMs.get(text)
      if (sentMs !== undefined) this.#takenMs.get(text)?.push(nowMs - sentMs)
    }
  }

  /** The medians over all messages of the first, median, 99th-percentile and last delivery, and the worst delivery. */
  figures(expected: (text: string) => number): Record<string, number> {
    const perMessage = [...this.#takenMs].map(([text, taken]) => ({
      first: Math.min(...taken),
      ...latencyOf(taken),
      missing: expected(text) - taken.length,
    }))
    const middle = (values: number[]) => latencyOf(values).p50
    return {
      messages: perMessage.length,
      'first ms': round(middle(perMessage.map(({ first }) => first))),
      'median ms': middle(perMessage.map(({ p50 }) => p50)),
      'p99 ms': middle(perMessage.map(({ p99 }) => p99)),
      'last ms': middle(perMessage.map(({ max }) => max)),
      'worst last ms': Math.max(...perMessage.map(({ max }) => max)),
      missing: perMessage.reduce((sum, { missing }) => sum + missing, 0),
      'bytes per body': Math.round(this.bytes / Math.max(1, this.bodies)),
    }
  }
}
