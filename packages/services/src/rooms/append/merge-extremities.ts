// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { usersOfServer } from '@myelin/storage/rooms/members/joined-servers'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { extendRoom } from './extend-room.ts'
import type { EventMaker } from '../drafts/event-draft.ts'
import { MERGE_EVENT_TYPE } from '../../room-state/merge-event-type.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { UnitNeed } from '../resolution/unit-needs.ts'
import type { PolicyServerNeeds } from './policy-server.ts'
import { writeEvents } from './write-events.ts'

type Needs = EventMaker & PolicyServerNeeds

/** The number of forward extremities from which merging them is worth an event. */
const MANY_HEADS = 10
/** The most local members tried as sender, where only some may send. */
const MAX_SPEAKERS = 5
/** The most events made in one call; each merges up to 20 extremities. */
const MAX_EVENTS = 100

/**
 * Merges a room's forward extremities with dummy events, where other servers keep forking it and no local user sends:
 * each extremity adds to the cost of state resolution. Returns whether any event was made.
 */
export async function mergeForwardExtremities(rt: Needs, roomId: RoomId): Promise<boolean> {
  let made = 0
  while (made < MAX_EVENTS) {
    if (((await roomById(rt.db.read, roomId))?.extremityCount ?? 0) < MANY_HEADS) break
    const isMade = await writeEvents(rt, async (tx, maker) => {
      const room = await openRoom(tx, roomId)
      return room !== undefined && room.extremityCount >= MANY_HEADS && mergeAs(tx, maker, roomId)
    })
    if (!isMade) break
    made++
  }
  return made > 0
}

async function mergeAs(tx: Tx, rt: EventMaker, roomId: RoomId): Promise<boolean | UnitNeed> {
  const users = await usersOfServer(tx, roomId, rt.serverName)
  const speakers = users.filter(({ membership }) => membership === 'join').slice(0, MAX_SPEAKERS)
  for (const { userId: sender } of speakers) {
    const room = await openRoom(tx, roomId)
    if (!room) return false
    try {
      const extended = await extendRoom(tx, rt, room, { roomId, sender, type: MERGE_EVENT_TYPE, content: {} })
      return isNeed(extended) ? extended : true
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
    }
  }
  return false
}
