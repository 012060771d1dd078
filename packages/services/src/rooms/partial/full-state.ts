// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Database } from '@myelin/storage/engine/database'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import type { PartialRoom } from '@myelin/storage/federation/partial-rooms'
import { wholeState } from '@myelin/storage/rooms/state/state'
import type { StateRow } from '@myelin/storage/rooms/events/state-rows'
import { stateInSteps, stateRowsOf } from '../intake/state-in-steps.ts'
import { loadAuthState } from '../../room-state/load-auth-state.ts'

/**
 * Returns the trie root of the state sent with the join plus the members that another server names; undefined where
 * these are no state of this room, or do not allow the join.
 *
 * Only unknown members are taken, so that a server that is queried later cannot change the rest of the room.
 */
export async function fullStateOf(
  { db }: { readonly db: Database },
  entered: PartialRoom,
  version: RoomVersion,
  { ids, join }: { readonly ids: readonly EventId[]; readonly join: Pdu },
): Promise<number | undefined> {
  const rows = [...(await stateRowsOf(db, ids)).values()]
  if (!isStateOf(entered, rows)) return undefined
  const known = await wholeState(db.read, entered.baseRoot)
  const members = rows.filter(
    ({ status, type, key }) =>
      status !== EVENT_STATUS.rejected && type === 'm.room.member' && key !== undefined && !known.has(key),
  )
  const root = await stateInSteps(db, members, entered.baseRoot)
  const { state } = await loadAuthState(db.read, root, join, version)
  return authorize(join, state).allowed ? root : undefined
}

/** Returns whether these are state events of the room, one per key. */
function isStateOf({ room }: PartialRoom, rows: readonly StateRow[]): boolean {
  const keys = new Set(rows.map(({ key }) => key))
  return keys.size === rows.length && rows.every((row) => row.key !== undefined && row.room === room)
}
