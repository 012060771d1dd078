// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { EventId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/engine/database'
import { internKeys } from '@myelin/storage/engine/names'
import { changeState, inTrieOrder } from '@myelin/storage/rooms/state/state'
import { stateRows } from '@myelin/storage/rooms/events/state-rows'
import type { StateRow } from '@myelin/storage/rooms/events/state-rows'

/** Number of rows read at once: a few milliseconds. */
const SLICE = 500
/** Number of state entries written in one unit of work. */
const UNIT = 400

/** Returns the state rows of the stored ones among these events, read in slices that do not block the main thread. */
export async function stateRowsOf(db: Database, ids: readonly EventId[]): Promise<Map<EventId, StateRow>> {
  const rows = new Map<EventId, StateRow>()
  for (let start = 0; start < ids.length; start += SLICE) {
    const some = await stateRows(db.read, ids.slice(start, start + SLICE))
    for (const row of await withKeys(db, some)) rows.set(row.id, row)
    await nextTurn()
  }
  return rows
}

/** Assigns numbers to new state keys. */
async function withKeys(db: Database, rows: readonly StateRow[]): Promise<readonly StateRow[]> {
  const bare = rows.filter(({ key, stateKey }) => key === undefined && stateKey !== undefined)
  if (bare.length === 0) return rows
  const keys = await db.write(async (tx) => {
    const byType = new Map<string, ReadonlyMap<string, number>>()
    for (const [type, some] of Map.groupBy(bare, (row) => row.type)) {
      byType.set(
        type,
        await internKeys(
          tx,
          type,
          some.flatMap(({ stateKey }) => stateKey ?? []),
        ),
      )
    }
    return byType
  })
  return rows.map((row) => ({ ...row, key: row.key ?? keys.get(row.type)?.get(row.stateKey ?? '') }))
}

/**
 * Returns the trie root of the state that these events make on top of another, written in several units. Nodes without
 * a reference do no harm.
 */
export async function stateInSteps(
  db: Database,
  rows: readonly Pick<StateRow, 'key' | 'nid'>[],
  base = 0,
): Promise<number> {
  const changes = inTrieOrder(rows.flatMap(({ key, nid }) => (key === undefined ? [] : [{ key, event: nid }])))
  let root = base
  for (let start = 0; start < changes.length; start += UNIT) {
    const from = root
    root = await db.write((tx) => changeState(tx, from, changes.slice(start, start + UNIT)))
  }
  return root
}
