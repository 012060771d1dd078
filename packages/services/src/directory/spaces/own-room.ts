// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { roomById } from '@myelin/storage/rooms/rooms'
import { stateOfType } from '@myelin/storage/rooms/state-of-type'
import { summaryOf } from '../../room-state/room-summary.ts'
import { shownContentOf } from '../../room-state/shown-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { inOrder, spaceChildOf } from '../../room-state/space-child.ts'
import type { SpaceRoom } from '../../room-state/space-child.ts'

/** Returns a room that a local user is in, with its children; undefined for any other. */
export async function ownRoom(db: Read, roomId: RoomId): Promise<SpaceRoom | undefined> {
  const summary = await summaryOf(db, roomId)
  const room = summary && (await roomById(db, roomId))
  if (!room) return undefined
  if (summary.room_type !== 'm.space') return { summary, children: [] }
  const version = roomVersionOf(room.roomVersion)
  const events = await eventsByNid(db, await stateOfType(db, room.stateRoot, 'm.space.child'))
  const children = [...events.values()].flatMap((event) => {
    const { type, stateKey = '', sender, originServerTs } = event.pdu
    const content = shownContentOf(event, version)
    return spaceChildOf({ type, state_key: stateKey, sender, content, origin_server_ts: originServerTs }) ?? []
  })
  return { summary, children: inOrder(children) }
}
