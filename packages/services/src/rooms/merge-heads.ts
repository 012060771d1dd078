// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/database'
import { usersOfServer } from '@myelin/storage/joined-servers'
import { headCount, openRoom } from '@myelin/storage/rooms'
import type { Runtime } from '../runtime.ts'
import { extendRoom } from './extend-room.ts'
import type { EventMaker } from './event-draft.ts'
import { MERGING } from './merging-event.ts'
import { writeEvents } from './policy-server.ts'

type Needs = EventMaker & Pick<Runtime, 'db' | 'remote'>

/** From so many heads on it is worth an event to bring them together. */
const MANY_HEADS = 10
/** So many members of ours are tried, where a room lets only some of them speak. */
const MAX_SPEAKERS = 5

/**
 * Brings the heads of a room's graph together with an event that says nothing, where others keep forking it and nobody
 * here speaks: every head costs whoever resolves the room's state. Answers whether it did.
 */
export async function mergeHeads(rt: Needs, roomId: RoomId): Promise<boolean> {
  if ((await headCount(rt.db.read, roomId)) < MANY_HEADS) return false
  return writeEvents(rt, async (tx, maker) => {
    const room = await openRoom(tx, roomId)
    if (!room || room.heads.length < MANY_HEADS) return false
    return mergeAs(tx, maker, roomId)
  })
}

async function mergeAs(tx: Tx, rt: EventMaker, roomId: RoomId): Promise<boolean> {
  const users = await usersOfServer(tx, roomId, rt.serverName)
  const speakers = users.filter(({ membership }) => membership === 'join').slice(0, MAX_SPEAKERS)
  for (const { userId: sender } of speakers) {
    const room = await openRoom(tx, roomId)
    if (!room) return false
    try {
      await extendRoom(tx, rt, room, { roomId, sender, type: MERGING, content: {} })
      return true
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
    }
  }
  return false
}
