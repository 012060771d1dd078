// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '../../runtime/runtime.ts'

/** A pending join older than this was most likely made by a process that has ended. */
const MAX_JOIN_MS = 1_800_000

/** Returns the earliest start of a pending join that still counts, in milliseconds. */
export function joinsCountSince({ clock }: Pick<Runtime, 'clock'>): number {
  return clock.now() - MAX_JOIN_MS
}
