// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { pdusByNid, stateRootAt } from '@myelin/storage/rooms/events/events'
import { stateEventNid } from '@myelin/storage/rooms/rooms'

/** Returns whether a user was joined to a room when the log stood at a position. */
export async function wasJoined(db: Read, roomId: RoomId, user: UserId, position: number): Promise<boolean> {
  const nid = await stateEventNid(db, await stateRootAt(db, roomId, position), 'm.room.member', user)
  const pdu = nid === undefined ? undefined : (await pdusByNid(db, [nid])).get(nid)
  return pdu !== undefined && stringMember(pdu.content, 'membership') === 'join'
}
