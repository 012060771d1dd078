// SPDX-License-Identifier: Apache-2.0
import type { Read, Tx } from '../../engine/database.ts'
import { inChunks } from '../../engine/database.ts'
import { preparedStatement } from '../../engine/prepared.ts'
import type { Nid } from '../../schema/schema.ts'

/**
 * The types of events that can be found by their words.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#search-categories
 */
export const SEARCHABLE_TYPES: readonly string[] = ['m.room.message', 'm.room.name', 'm.room.topic']

/** Removes events from the search index, in the transaction that takes their content away. */
export async function dropFromSearch(tx: Tx, nids: readonly Nid[]): Promise<void> {
  for (const nid of nids) await tx.send(dropEntry(tx, { event_nid: nid }))
}

const dropEntry = preparedStatement<{ event_nid: Nid }>(['event_nid'], (builder, row) =>
  builder.deleteFrom('search_entries').where('event_nid', '=', row.event_nid),
)

/** Has the search index look at an event again, because it got its place only now or is not redacted any more. */
export async function searchAgain(tx: Tx, nids: readonly Nid[]): Promise<void> {
  if (nids.length === 0) return
  await tx
    .insertInto('search_due')
    .values(nids.map((nid) => ({ event_nid: nid })))
    .onConflict((at) => at.column('event_nid').doNothing())
    .execute()
}

/** Returns the numbers of these events that are in the search index. */
export async function indexedAmong(db: Read, nids: readonly Nid[]): Promise<Set<Nid>> {
  const rows = await inChunks(nids, (chunk) =>
    db.selectFrom('search_entries').select('event_nid').where('event_nid', 'in', chunk).execute(),
  )
  return new Set(rows.map((row) => row.event_nid))
}
