// SPDX-License-Identifier: Apache-2.0
import type { Read } from '../engine/database.ts'
import { namedState } from './rooms.ts'
import type { Nid } from '../schema/schema.ts'

/** Returns the events of one type in a state, with any state key. States are immutable, so the result is cached. */
export async function stateOfType(db: Read, root: Nid, type: string): Promise<readonly Nid[]> {
  const key = `${root} ${type}`
  const kept = db.caches.stateOfType.get(key)
  if (kept) return kept
  const entries = await namedState(db, root)
  const nids = entries.filter((entry) => entry.type === type).map(({ event }) => event)
  if (!('takePosition' in db)) db.caches.stateOfType.set(key, nids)
  return nids
}
