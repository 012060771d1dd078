// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { accountDataOf, putAccountData } from '@myelin/storage/accounts/account-data'
import type { Tx } from '@myelin/storage/engine/database'
import { eventById } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { putReceipt } from '@myelin/storage/sync/receipts'
import type { Runtime } from '../runtime/runtime.ts'
import { requireJoined } from './require-joined.ts'
import { checkThread } from './thread-check.ts'

/** The read markers and receipts. */
export const MARKS = ['m.fully_read', 'm.read', 'm.read.private'] as const

/** A receipt or read marker at an event. `threadId` is a thread root, `main`, or undefined for all threads together. */
export interface Mark {
  readonly kind: (typeof MARKS)[number]
  readonly eventId: EventId
  readonly threadId?: string
}

/**
 * Moves a user's receipts and read marker in a room forward, all or none. One that would move back stays.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers
 */
export async function markRead(
  rt: Pick<Runtime, 'db' | 'clock'>,
  where: { readonly roomId: RoomId; readonly userId: UserId },
  marks: readonly Mark[],
): Promise<void> {
  const { roomId, userId } = where
  await rt.db.write(async (tx) => {
    await requireJoined(tx, roomId, userId)
    for (const mark of marks) {
      const event = await eventIn(tx, roomId, mark.eventId)
      if (mark.kind === 'm.fully_read') await moveFullyRead(tx, where, mark, event)
      else await moveReceipt(tx, { roomId, userId, ts: rt.clock.now() }, { ...mark, kind: mark.kind }, event)
    }
  })
}

type Placed = StoredEvent & { readonly position: number }

async function eventIn(tx: Tx, roomId: RoomId, eventId: EventId): Promise<Placed> {
  const event = await eventById(tx, eventId)
  if (!event || event.pdu.roomId !== roomId || event.position === null) {
    throw new MatrixError('M_NOT_FOUND', 'no such event')
  }
  return { ...event, position: event.position }
}

async function moveReceipt(
  tx: Tx,
  by: { readonly roomId: RoomId; readonly userId: UserId; readonly ts: number },
  mark: Mark & { readonly kind: 'm.read' | 'm.read.private' },
  event: Placed,
): Promise<void> {
  const { kind, eventId, threadId } = mark
  if (threadId !== undefined) await checkThread(tx, event, threadId)
  await putReceipt(tx, { ...by, kind, threadId: threadId ?? '', eventId, eventPosition: event.position })
}

async function moveFullyRead(
  tx: Tx,
  { roomId, userId }: { readonly roomId: RoomId; readonly userId: UserId },
  { eventId, threadId }: Mark,
  event: Placed,
): Promise<void> {
  if (threadId !== undefined) throw new MatrixError('M_INVALID_PARAM', '`m.fully_read` cannot have a `thread_id`')
  const stored = await accountDataOf(tx, userId, roomId, 'm.fully_read')
  const before = stored && stringMember(stored, 'event_id')
  const earlier = before === undefined ? undefined : await eventById(tx, before as EventId)
  if (earlier && (earlier.position ?? 0) >= event.position) return
  await putAccountData(tx, { userId, roomId, type: 'm.fully_read', content: { event_id: eventId } })
}
