// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import type { Receipt } from '@myelin/storage/sync/receipts'
import type { Typing } from '../runtime/typing.ts'
import { passesRoom, passesType } from '../room-state/event-filter.ts'
import type { Slice } from './sync-request.ts'

/** Typing and receipts of one room that changed in the slice. `after` is 0 for rooms told from the beginning. */
export async function readEphemeral(
  db: Read,
  typing: Pick<Typing, 'changedSince'>,
  slice: Slice,
  { roomId, after }: { roomId: RoomId; after: number },
): Promise<JsonObject[]> {
  const filter = slice.request.filter.ephemeral
  if (!passesRoom(roomId, filter)) return []
  const events: JsonObject[] = []
  const typers = typing.changedSince(roomId, after === 0 ? 0 : (slice.since?.typing ?? 0))
  const isNews = typers !== undefined && (after > 0 || typers.length > 0)
  if (isNews && passesType('m.typing', filter)) events.push({ type: 'm.typing', content: { user_ids: typers } })
  const receipts = await receiptsBetween(db, roomId, after, slice.upTo.position)
  const shown = receipts.filter(({ kind, userId }) => kind === 'm.read' || userId === slice.user)
  if (shown.length > 0 && passesType('m.receipt', filter))
    events.push({ type: 'm.receipt', content: receiptContent(shown) })
  return events
}

/**
 * Receipts by event, kind and user. Where a user has an unthreaded and a threaded receipt on one event, the
 * unthreaded one says more.
 */
function receiptContent(receipts: readonly Receipt[]): JsonObject {
  const content: Record<string, Record<string, Record<string, Json>>> = Object.create(null)
  const unthreadedLast = receipts.toSorted((a, b) => Number(a.threadId === '') - Number(b.threadId === ''))
  for (const { eventId, kind, userId, threadId, ts } of unthreadedLast) {
    const kinds = (content[eventId] ??= {})
    const users = (kinds[kind] ??= {})
    users[userId] = threadId === '' ? { ts } : { ts, thread_id: threadId }
  }
  return content
}
