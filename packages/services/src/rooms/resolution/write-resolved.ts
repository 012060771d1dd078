// SPDX-License-Identifier: Apache-2.0
import type { Database, Tx } from '@myelin/storage/engine/database'
import { resolveElsewhere } from './resolutions.ts'
import { writeMeeting } from './unit-needs.ts'
import type { ResolutionNeed, UnitNeed } from './unit-needs.ts'

/**
 * Runs a unit of work in which states are merged. States that are much work are resolved on another thread while the unit
 * is rolled back; it then finds the result for exactly these states.
 */
export async function writeResolved<T>(
  { db }: { readonly db: Database },
  work: (tx: Tx) => Promise<T | ResolutionNeed>,
): Promise<Exclude<T, UnitNeed>> {
  return writeMeeting<T, ResolutionNeed>(db, work, (need) => resolveCommitted(db, need))
}

/** Resolves states that earlier units wrote, on another thread. */
export async function resolveCommitted(db: Database, need: ResolutionNeed): Promise<void> {
  // Earlier units of the same batch are committed when this one is.
  await db.write(async () => {})
  await resolveElsewhere(db, need)
}
