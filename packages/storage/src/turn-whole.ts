// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from './database.ts'
import { moveMembers } from './member-changes.ts'
import type { ForeseenMembers } from './member-changes.ts'
import { takeRecalculated } from './partial-events.ts'
import { dropPartialRoom } from './partial-rooms.ts'
import type { OpenRoom } from './rooms.ts'
import type { Nid, Position } from './schema.ts'

/** Where a room stands once its members are known. */
export interface WholeRoom {
  /** The root of its state, and the heads of its graph. */
  readonly root: Nid
  readonly heads: readonly Nid[]
  /** The join by which we entered it. */
  readonly join: { readonly nid: Nid; readonly pdu: Pdu }
  readonly foreseen: ForeseenMembers
}

/**
 * Ends the time in which a room's members were not known: the states of its events, its members, its counts and its
 * current state become what they come to with them, at a position of the log. Answers the position.
 */
export async function turnWhole(tx: Tx, room: OpenRoom, { root, heads, join, foreseen }: WholeRoom): Promise<Position> {
  const position = tx.takePosition()
  await takeRecalculated(tx, room.nid)
  const { joined, invited } = await moveMembers(tx, room, {
    event: join.pdu,
    nid: join.nid,
    root,
    position,
    foreseen,
  })
  await dropPartialRoom(tx, room.nid)
  await tx
    .updateTable('rooms')
    .set({
      extremities: JSON.stringify(heads),
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
  return position
}
