// SPDX-License-Identifier: Apache-2.0
import type { Deed } from './ledger.ts'
import type { Observation } from './observation.ts'

/** What a law found: how many things it looked at, and a sentence for each that breaks it. */
interface Finding {
  readonly checked: number
  readonly violations: readonly string[]
}

/** A promise that must hold whenever the server is killed. */
export interface Law {
  readonly name: string
  readonly title: string
  judge(deeds: readonly Deed[], seen: Observation): Finding
}

/** A law with what it found. */
export interface LawVerdict extends Finding {
  readonly law: string
  readonly title: string
}

/** How often each text occurs. */
export function tally(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}
