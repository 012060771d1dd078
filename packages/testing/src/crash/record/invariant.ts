// SPDX-License-Identifier: Apache-2.0
import type { Deed } from './ledger.ts'
import type { Observation } from './observation.ts'

/** The result of a check: the number of things checked, and a sentence for each violation. */
interface Finding {
  readonly checked: number
  readonly violations: readonly string[]
}

/** A property that must hold whenever the server is killed. */
export interface Invariant {
  readonly name: string
  readonly title: string
  judge(deeds: readonly Deed[], seen: Observation): Finding
}

/** An invariant with the result of its check. */
export interface Verdict extends Finding {
  readonly invariant: string
  readonly title: string
}

/** Returns how often each text occurs. */
export function tally(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  return counts
}
