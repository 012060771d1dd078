// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { topics } from '@myelin/storage/engine/topics'
import { receiptsBetween, receiptsByUser } from '@myelin/storage/sync/receipts'
import type { Receipt } from '@myelin/storage/sync/receipts'
import { receiptContent } from '../../room-sections/ephemeral.ts'
import type { AnsweredScope } from '../sliding-scope.ts'
import { checkRooms, roomsFor } from './extension.ts'
import type { ExtensionRoom, SlidingExtension } from './extension.ts'

/**
 * `receipts`: the receipts that moved in the rooms that are shown. Of a room that is new to the client, those of the user and
 * those on the events of its timeline.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3960
 */
export const receiptsExtension: SlidingExtension = {
  name: 'receipts',
  memory: 'receipts',
  begin: async (_rt, _requester, config) => checkRooms(config),
  async read(scope, config) {
    const { topicPositions } = scope.sync.db
    const rooms: Record<string, JsonObject> = {}
    for (const room of roomsFor(scope, config, 'receipts')) {
      // Most rooms have none; a promise for each would cost more than the rest.
      if (room.after > 0 && !topicPositions.changedSince(topics.readIn(room.roomId), room.after)) continue
      if (scope.windows.rooms.get(room.roomId)?.membership.membership !== 'join') continue
      const receipts = (await receiptsOf(scope, room)).filter(
        ({ kind, userId }) => kind === 'm.read' || userId === scope.sync.slice.user,
      )
      if (receipts.length > 0) rooms[room.roomId] = { type: 'm.receipt', content: receiptContent(receipts) }
    }
    return { value: { rooms }, hasNews: Object.keys(rooms).length > 0 }
  },
}

async function receiptsOf({ sync, results }: AnsweredScope, { roomId, after }: ExtensionRoom): Promise<Receipt[]> {
  const { db, slice, upTo } = sync
  if (after > 0) return receiptsBetween(db, roomId, after, upTo)
  const own = await receiptsByUser(db, roomId, slice.user, upTo)
  const shown = results.get(roomId)?.timeline?.stored ?? []
  const first = shown[0]?.position ?? undefined
  if (first === undefined) return own
  const ids = new Set<string>(shown.map(({ pdu }) => pdu.id))
  // A receipt comes after its event.
  const others = await receiptsBetween(db, roomId, Math.floor(first), upTo)
  return [...own, ...others.filter(({ userId, eventId }) => userId !== slice.user && ids.has(eventId))]
}
