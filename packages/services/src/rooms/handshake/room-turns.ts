// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/engine/database'

const underWay = new WeakMap<Database, Map<RoomId, Promise<unknown>>>()

/**
 * Runs a task after every earlier task for the room has ended, so that two local users who join at once fetch the room
 * once.
 */
export async function inTurn<T>(db: Database, roomId: RoomId, task: () => Promise<T>): Promise<T> {
  const rooms = underWay.get(db) ?? new Map<RoomId, Promise<unknown>>()
  underWay.set(db, rooms)
  const own = (rooms.get(roomId) ?? Promise.resolve()).then(task)
  const ended = own.catch(() => {})
  rooms.set(roomId, ended)
  try {
    return await own
  } finally {
    if (rooms.get(roomId) === ended) rooms.delete(roomId)
  }
}
