// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '../../runtime/runtime.ts'

/** A join through another server that takes longer was most likely made by a process that is gone. */
const LONGEST_JOIN_MS = 1_800_000

/** Since when a join must be under way to count. */
export function joinsCountSince({ clock }: Pick<Runtime, 'clock'>): number {
  return clock.now() - LONGEST_JOIN_MS
}
