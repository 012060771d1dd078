// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from './next-turn.ts'

/** The most work in one turn of the event loop, in estimated microseconds, before the next pause is one. */
export const MAX_TURN_COST_US = 4000
/** The same in measured milliseconds: estimates may be wrong, and a machine slow. */
const MAX_TURN_MS = 4

let spentUs = 0
let startedMs = 0
let longestUs = 0
let next: Promise<void> | undefined

/**
 * Counts work against the present turn of the event loop: about so many microseconds, as estimated where the work is written.
 * The estimates are constants, so that a test can assert how much a turn takes at most on any machine.
 */
export function spend(costUs: number): void {
  if (spentUs === 0) {
    startedMs = performance.now()
    setImmediate(renew)
  }
  spentUs += costUs
}

/**
 * Returns a promise of the next turn where the present one has taken enough work, and undefined where it may go on. Loops over
 * what a request brought, or a table holds, await it at each step; a step that counts its own work calls `spend`.
 */
export function pause(): Promise<void> | undefined {
  if (spentUs === 0) return undefined
  if (spentUs < MAX_TURN_COST_US && performance.now() - startedMs < MAX_TURN_MS) return undefined
  return (next ??= nextTurn())
}

/** Counts work, and returns what {@link pause} does. */
export function step(costUs: number): Promise<void> | undefined {
  spend(costUs)
  return pause()
}

/**
 * Runs work for each entry, of about so many microseconds each; a promise where it takes more than the present turn. A failure is
 * thrown, or rejects.
 */
export function forEachInTurns<Entry>(
  entries: readonly Entry[],
  costUs: number,
  work: (entry: Entry) => void,
): Promise<void> | undefined {
  for (const [at, entry] of entries.entries()) {
    work(entry)
    const pausing = step(costUs)
    if (pausing) return pausing.then(() => forEachInTurns(entries.slice(at + 1), costUs, work))
  }
  return undefined
}

/** Returns what a function makes of each entry, of about so many microseconds each, over as many turns as that takes. */
export async function mapInTurns<Entry, Value>(
  entries: Iterable<Entry>,
  costUs: number,
  make: (entry: Entry) => Value,
): Promise<Value[]> {
  const made: Value[] = []
  for (const entry of entries) {
    made.push(make(entry))
    const pausing = step(costUs)
    if (pausing) await pausing
  }
  return made
}

/** Runs a long computation to its end, and lets others have their turn after each of its steps; its failure is thrown. */
export async function inSteps<Value>(steps: Generator<unknown, Value>): Promise<Value> {
  for (;;) {
    const next = steps.next()
    if (next.done === true) return next.value
    await nextTurn()
  }
}

/** Returns how much work the fullest turn took since the last call, in estimated microseconds. */
export function takeLongestTurn(): number {
  const longest = Math.max(longestUs, spentUs)
  longestUs = 0
  return longest
}

function renew(): void {
  longestUs = Math.max(longestUs, spentUs)
  spentUs = 0
  next = undefined
}
