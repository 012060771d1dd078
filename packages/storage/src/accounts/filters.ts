// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { DatabaseCache } from '../engine/cached-reader.ts'

/** The most filters that a user has. A client whose filter is gone defines it again. */
export const MAX_FILTERS = 500

/**
 * Stores a filter definition; the same definition gets the same ID again. IDs count up per user. Beyond
 * {@link MAX_FILTERS}, the oldest filter is deleted.
 */
export async function putFilter(tx: Tx, user: UserId, definition: string): Promise<number> {
  const mine = tx.selectFrom('filters').where('user_id', '=', user)
  const known = await mine.select('filter_id').where('definition', '=', definition).executeTakeFirst()
  if (known) return known.filter_id
  const last = await mine.select((row) => row.fn.max('filter_id').as('id')).executeTakeFirst()
  const id = last?.id === null || last?.id === undefined ? 0 : Number(last.id) + 1
  await tx.insertInto('filters').values({ user_id: user, filter_id: id, definition }).execute()
  if (id >= MAX_FILTERS)
    await tx
      .deleteFrom('filters')
      .where('user_id', '=', user)
      .where('filter_id', '<=', id - MAX_FILTERS)
      .execute()
  return id
}

/** Returns the definition behind a filter id. */
export async function filterDefinition(db: Read, user: UserId, id: number): Promise<string | undefined> {
  const key = `${user}\0${id}`
  const kept = definitions.of(db).get(key)
  if (kept !== undefined) return kept
  const row = await db
    .selectFrom('filters')
    .select('definition')
    .where('user_id', '=', user)
    .where('filter_id', '=', id)
    .executeTakeFirst()
  if (row && db.topicPositions.position !== undefined) definitions.of(db).set(key, row.definition)
  return row?.definition
}

/** The definition of a filter never changes, and a deleted one may be used for a while. */
const definitions = new DatabaseCache<string>('filters', 5000)
