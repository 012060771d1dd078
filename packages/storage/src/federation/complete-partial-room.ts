// SPDX-License-Identifier: Apache-2.0
import type { Tx } from '../engine/database.ts'
import { putForwardExtremities } from '../rooms/forward-extremities.ts'
import { updateMembers } from '../rooms/members/member-changes.ts'
import type { PrecomputedMemberChanges } from '../rooms/members/member-changes.ts'
import { applyRecalculated } from './partial-events.ts'
import { dropPartialRoom } from './partial-rooms.ts'
import { insertRow } from '../engine/prepared.ts'
import type { OpenRoom } from '../rooms/rooms.ts'
import type { Nid, Position } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** The position and the state root of a room when its members became known. */
export interface CompletedRoom {
  /** The root of its current state. `isUnsettled`: its forward extremities have still to be resolved. */
  readonly root: Nid
  readonly isUnsettled: boolean
  /** Its forward extremities, where they changed. */
  readonly extremityNids: readonly Nid[] | undefined
  /** The join by which we entered it. */
  readonly join: { readonly position: Position | null }
  readonly foreseen: PrecomputedMemberChanges
}

/**
 * Ends the partial state of a room: replaces the states of its events, its members, its counts and its current state by
 * those with all members. Returns the position of the change.
 */
export async function completePartialRoom(
  tx: Tx,
  room: OpenRoom,
  { root, isUnsettled, extremityNids, join, foreseen }: CompletedRoom,
): Promise<Position> {
  const position = tx.takePosition()
  await applyRecalculated(tx, room.nid)
  const { joined, invited } = await updateMembers(tx, room, {
    root,
    position,
    foreseen,
  })
  await dropPartialRoom(tx, room.nid)
  // State changes without an event during that time were changes between provisional states.
  await tx
    .deleteFrom('state_moves')
    .where('room_nid', '=', room.nid)
    .where('position', '>=', join.position ?? 0)
    .execute()
  await insertRow(tx, 'state_moves', { room_nid: room.nid, position, state_root: root })
  const graph = extremityNids ? await putForwardExtremities(tx, room.nid, extremityNids) : {}
  await tx
    .updateTable('rooms')
    .set({
      ...graph,
      is_unsettled: isUnsettled ? 1 : 0,
      last_move: position,
      state_root: root,
      last_position: position,
      joined_count: joined,
      invited_count: invited,
      opened: room.opened + 1,
      whole_position: position,
      provisional_root: room.stateRoot,
    })
    .where('room_nid', '=', room.nid)
    .execute()
  tx.touch(room.id)
  if (isUnsettled) tx.touch(topics.unsettled)
  return position
}
