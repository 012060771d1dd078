// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from '../../engine/database.ts'
import { eventsById } from '../events/events.ts'
import { putMembership, putStrippedState } from './members.ts'
import { putOutlier } from '../events/outliers.ts'
import type { OpenRoom } from '../rooms.ts'

/**
 * Stores the membership of a local user in a room that this server is not in, with its member event as an outlier: an
 * invite, a knock, or the end of either. `strippedState` is the state shown to the user.
 */
export async function putOutlierMembership(tx: Tx, room: OpenRoom, event: Pdu, strippedState?: string): Promise<void> {
  const [kept] = await eventsById(tx, [event.id])
  const nid = kept?.nid ?? (await putOutlier(tx, event, { room: room.nid, status: 'accepted' }))
  const user = event.stateKey as UserId
  const membership = stringMember(event.content, 'membership') ?? 'leave'
  const before = await putMembership(tx, room.nid, user, { membership, event: nid, position: tx.takePosition() })
  const change = (which: string) => Number(membership === which) - Number(before === which)
  await tx
    .updateTable('rooms')
    .set((row) => ({
      joined_count: row('joined_count', '+', change('join')),
      invited_count: row('invited_count', '+', change('invite')),
    }))
    .where('room_nid', '=', room.nid)
    .execute()
  if (strippedState !== undefined) await putStrippedState(tx, room.id, user, strippedState)
  tx.touch(room.id)
}
