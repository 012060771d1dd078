// SPDX-License-Identifier: Apache-2.0
import type { Database, Tx } from '@myelin/storage/engine/database'
import { NeedsResolution } from './needs-resolution.ts'
import { resolveElsewhere } from './resolutions.ts'

/** So many resolutions one unit may need. */
const MAX_ROUNDS = 100

/**
 * Runs a unit in which states are merged. Where that is much work the unit is taken back, the states are resolved on
 * another thread, and the unit is run again: it then finds the answer for exactly these states, or needs another one.
 */
export async function writeResolved<T>({ db }: { readonly db: Database }, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await db.write(work)
    } catch (cause) {
      if (!(cause instanceof NeedsResolution) || round >= MAX_ROUNDS) throw cause
      await resolveCommitted(db, cause)
    }
  }
}

/** Resolves states that some unit before this one left, on another thread. */
export async function resolveCommitted(db: Database, needed: NeedsResolution): Promise<void> {
  // What came earlier in the same batch is committed when this is.
  await db.write(async () => {})
  await resolveElsewhere(db, needed)
}
