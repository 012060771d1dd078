// SPDX-License-Identifier: Apache-2.0
import { RemoteError } from '@myelin/remote/remote-error'
import type { Tx } from '@myelin/storage/engine/database'
import { createRoomRow, openRoom, correctRoomVersion } from '@myelin/storage/rooms/rooms'
import type { RoomContext } from '../../room-state/room-context.ts'

/** Returns the number of the room to enter. A room that is new here gets the version that its create event proved. */
export async function roomFor(tx: Tx, { roomId, version }: RoomContext): Promise<number> {
  const room = await openRoom(tx, roomId)
  if (!room) return (await createRoomRow(tx, roomId, version.id)).nid
  if (room.roomVersion === version.id) return room.nid
  if (room.stateRoot !== 0) throw new RemoteError('malformed', 'the room has another version')
  await correctRoomVersion(tx, roomId, version.id)
  return room.nid
}
