// SPDX-License-Identifier: Apache-2.0
import type { Read, Tx } from '../engine/database.ts'
import type { Nid, Position } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** Records that a kick or ban has to redact the target's events before a position. */
export async function putOwedRedactions(tx: Tx, removal: Nid, before: Position): Promise<void> {
  await tx
    .insertInto('owed_redactions')
    .values({ event_nid: removal, before })
    .onConflict((at) => at.column('event_nid').doUpdateSet({ before }))
    .execute()
  tx.touch(topics.owedWork)
}

/** Records that a kick or ban has nothing left to redact. */
export async function dropOwedRedactions(tx: Tx, removal: Nid): Promise<void> {
  await tx.deleteFrom('owed_redactions').where('event_nid', '=', removal).execute()
}

/** Returns the position before which a kick or ban has to redact events; undefined where it owes none. */
export async function owedRedactionsOf(db: Read, removal: Nid): Promise<Position | undefined> {
  const row = await db
    .selectFrom('owed_redactions')
    .select('before')
    .where('event_nid', '=', removal)
    .executeTakeFirst()
  return row?.before
}

/** Returns kicks and bans that owe redactions, the oldest first, at most `limit`. */
export async function owingRemovals(db: Read, limit: number): Promise<Nid[]> {
  const rows = await db.selectFrom('owed_redactions').select('event_nid').orderBy('event_nid').limit(limit).execute()
  return rows.map((row) => row.event_nid)
}
