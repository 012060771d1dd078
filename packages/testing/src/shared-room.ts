// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { appendEvent } from '@myelin/storage/rooms/append/append-event'
import { timeline } from '@myelin/storage/rooms/events/events'
import { createRoomRow, openRoom, roomById, versionOfRoom } from '@myelin/storage/rooms/rooms'
import type { TestRuntime } from './runtime.ts'

/**
 * Copies a room of one server to another, or the events that it lacks; forward extremities and state are equal
 * afterwards.
 */
export async function shareRoom(from: TestRuntime, to: TestRuntime, roomId: RoomId): Promise<void> {
  const version = await versionOfRoom(from.db.read, roomId)
  const events = await timeline(from.db.read, {
    roomId,
    direction: 'forward',
    after: 0,
    before: 2 ** 40,
    limit: 10_000,
  })
  const isThere = await roomById(to.db.read, roomId)
  const known = isThere
    ? await timeline(to.db.read, { roomId, direction: 'forward', after: 0, before: 2 ** 40, limit: 10_000 })
    : []
  const knownIds = new Set(known.map(({ pdu }) => pdu.id))
  await to.db.write(async (tx) => {
    if (!isThere) await createRoomRow(tx, roomId, version)
    for (const { pdu } of events) {
      if (knownIds.has(pdu.id)) continue
      const room = await openRoom(tx, roomId)
      if (room) await appendEvent(tx, room, pdu, { notifies: 'no' })
    }
  })
}
