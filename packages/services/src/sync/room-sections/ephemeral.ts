// SPDX-License-Identifier: Apache-2.0
import type { Json, JsonObject } from '@myelin/matrix/json'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import type { Receipt } from '@myelin/storage/sync/receipts'
import { passesRoom, passesType } from '../../room-state/event-filter.ts'
import type { RoomScope, RoomSection } from './room-section.ts'

/** `ephemeral` of a room: typing and receipts that changed. */
export const ephemeralSection: RoomSection = {
  async read(room) {
    const isWanted = passesRoom(room.membership.roomId, room.scope.slice.request.filter.ephemeral)
    const events = isWanted ? [...typingEvents(room), ...(await receiptEvents(room))] : []
    return { members: { ephemeral: { events } }, hasChanged: events.length > 0 }
  },
}

function typingEvents({ scope, membership, after }: RoomScope): JsonObject[] {
  const { slice, tools } = scope
  const typers = tools.typing.changedSince(membership.roomId, after === 0 ? 0 : (slice.since?.typing ?? 0))
  // A client that does not know the room yet assumes that no user is typing.
  const hasChanged = typers !== undefined && (after > 0 || typers.length > 0)
  if (!hasChanged || !passesType('m.typing', slice.request.filter.ephemeral)) return []
  return [{ type: 'm.typing', content: { user_ids: typers } }]
}

async function receiptEvents({ scope, membership, after }: RoomScope): Promise<JsonObject[]> {
  const { slice, db } = scope
  const receipts = await receiptsBetween(db, membership.roomId, after, scope.upTo)
  const shown = receipts.filter(({ kind, userId }) => kind === 'm.read' || userId === slice.user)
  if (shown.length === 0 || !passesType('m.receipt', slice.request.filter.ephemeral)) return []
  return [{ type: 'm.receipt', content: receiptContent(shown) }]
}

/**
 * Returns receipts by event, kind and user. If a user has an unthreaded and a threaded receipt on one event, the
 * unthreaded one is shown, because it covers more.
 */
export function receiptContent(receipts: readonly Receipt[]): JsonObject {
  const content: Record<string, Record<string, Record<string, Json>>> = Object.create(null)
  const unthreadedLast = receipts.toSorted((a, b) => Number(a.threadId === '') - Number(b.threadId === ''))
  for (const { eventId, kind, userId, threadId, ts } of unthreadedLast) {
    const kinds = (content[eventId] ??= {})
    const users = (kinds[kind] ??= {})
    users[userId] = threadId === '' ? { ts } : { ts, thread_id: threadId }
  }
  return content
}
