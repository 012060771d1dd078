// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import { MatrixError } from '@myelin/matrix/errors'
import type { Tx } from '@myelin/storage/engine/database'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { putOutlierMembership } from '@myelin/storage/rooms/members/outlier-memberships'
import { createRoomRow, openRoom, correctRoomVersion } from '@myelin/storage/rooms/rooms'
import type { Runtime } from '../../runtime/runtime.ts'
import type { RoomContext } from '../../room-state/room-context.ts'

/**
 * Records a member event of a local user in a room that this server is not in. Nothing is recorded where another local
 * user joined the room in the meantime: its graph has the membership then.
 */
export async function recordOutside(
  tx: Tx,
  { serverName }: Pick<Runtime, 'serverName'>,
  { roomId, version }: RoomContext,
  given: { readonly event: Pdu; readonly shown?: string },
): Promise<void> {
  if ((await joinedServers(tx, roomId)).has(serverName)) return
  const room = (await openRoom(tx, roomId)) ?? (await createRoomRow(tx, roomId, version.id))
  if (room.roomVersion !== version.id) {
    if (room.stateRoot !== 0) throw new MatrixError('M_INVALID_PARAM', 'the room has another version')
    await correctRoomVersion(tx, roomId, version.id)
  }
  await putOutlierMembership(tx, room, given.event, given.shown)
}
