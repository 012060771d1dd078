// SPDX-License-Identifier: Apache-2.0
import type { Tx, Read } from './database.ts'
import type { Position } from './schema.ts'

/** Notes that an event of another server came to us alone, so that we send it on to the servers in its room. */
export async function putRelayed(tx: Tx, position: Position): Promise<void> {
  await tx
    .insertInto('relayed_events')
    .values({ position })
    .onConflict((at) => at.column('position').doNothing())
    .execute()
}

/** The positions of events of other servers that we send on, after one position and up to another. */
export async function relayedBetween(db: Read, after: Position, upTo: Position): Promise<Set<Position>> {
  const rows = await db
    .selectFrom('relayed_events')
    .select('position')
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .execute()
  return new Set(rows.map((row) => row.position))
}
