// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/database'
import { eventsByNid } from '@myelin/storage/events'
import { roomById } from '@myelin/storage/rooms'
import { stateOfType } from '@myelin/storage/state-of-type'
import { summaryOf } from '../directory/room-summary.ts'
import type { RoomSummary } from '../directory/room-summary.ts'
import { shownContentOf } from '../reading/shown-state.ts'
import { roomVersionOf } from '../rooms/versions.ts'
import { inOrder, spaceChildOf } from './space-child.ts'
import type { SpaceChild } from './space-child.ts'

/** A room in a tree of spaces, and what it holds. */
export interface SpaceRoom {
  readonly summary: RoomSummary
  /** In the order in which they are shown; none where the room is no space. */
  readonly children: readonly SpaceChild[]
}

/** A room that somebody of ours knows from inside, with its children; undefined for any other. */
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
