// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../../engine/database.ts'
import { updateMembers } from '../members/member-changes.ts'
import { noteGuestAccess } from '../owed-guest-checks.ts'
import { insertRow } from '../../engine/prepared.ts'
import type { OpenRoom } from '../rooms.ts'
import type { Nid } from '../../schema/schema.ts'

/**
 * Sets a room's current state, and its members, to the resolution of its forward extremities, without an event. `/sync`
 * reports the difference.
 */
export async function applyResolvedState(tx: Tx, room: OpenRoom, root: Nid): Promise<void> {
  const change = tx.updateTable('rooms').where('room_nid', '=', room.nid)
  if (root === room.stateRoot) {
    await change.set({ is_unsettled: 0 }).execute()
    return
  }
  const position = tx.takePosition()
  await noteGuestAccess(tx, room.nid, room.stateRoot, root)
  const { joined, invited } = await updateMembers(tx, room, { root, position })
  await insertRow(tx, 'state_moves', { room_nid: room.nid, position, state_root: root })
  await change
    .set((row) => ({
      is_unsettled: 0,
      state_root: root,
      opened: row('opened', '+', 1),
      last_position: position,
      last_move: position,
      joined_count: joined,
      invited_count: invited,
    }))
    .execute()
  tx.touch(room.id)
}

/** Returns the rooms whose current state is still to be worked out; no more than asked for. */
export async function roomsToResolve(db: Read, limit: number): Promise<RoomId[]> {
  const rows = await db.selectFrom('rooms').select('room_id').where('is_unsettled', '=', 1).limit(limit).execute()
  return rows.map((row) => row.room_id)
}
