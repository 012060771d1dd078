// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { usersOfServer } from '@myelin/storage/rooms/members/joined-servers'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { extendRoom } from './extend-room.ts'
import type { EventMaker } from './event-draft.ts'
import { MERGING } from '../room-state/merging-event.ts'
import { isNeed } from './resolution/unit-needs.ts'
import type { UnitNeed } from './resolution/unit-needs.ts'
import type { PolicyServerNeeds } from './policy-server.ts'
import { writeEvents } from './write-events.ts'

type Needs = EventMaker & PolicyServerNeeds

/** From so many heads on it is worth an event to bring them together. */
const MANY_HEADS = 10
/** So many members of ours are tried, where a room lets only some of them speak. */
const MAX_SPEAKERS = 5
/** So many events one call makes; each brings up to 20 heads together. */
const MAX_EVENTS = 100

/**
 * Brings the heads of a room's graph together with events that say nothing, where others keep forking it and nobody
 * here speaks: every head costs whoever resolves the room's state. Answers whether it made any.
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
      const extended = await extendRoom(tx, rt, room, { roomId, sender, type: MERGING, content: {} })
      return isNeed(extended) ? extended : true
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
    }
  }
  return false
}
