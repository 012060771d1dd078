// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Pdu } from '@myelin/matrix/pdu'
import { stickyDurationOf } from '@myelin/rules/events/sticky'
import type { Tx } from '@myelin/storage/engine/database'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import { countStickyEvents, putStickyEvent } from '@myelin/storage/rooms/sticky-events'
import type { EventDraft } from '../drafts/event-draft.ts'

export { MAX_STICKY_MS } from '@myelin/rules/events/sticky'

/** The most sticky events of one user in a room. */
export const MAX_STICKY_OF_SENDER = 100
/** The most sticky events in a room. */
const MAX_STICKY_IN_ROOM = 1000

/**
 * Records that a stored event is sticky, where it is: from the earlier of its timestamp and its arrival on. An event above the limits
 * of its sender or room is stored as one that is not sticky.
 *
 * Without a position the event is soft-failed.
 */
export async function recordSticky(
  tx: Tx,
  room: OpenRoom,
  event: {
    readonly pdu: Pdu
    readonly nid: number
    readonly position?: number
    readonly receivedTs?: number | undefined
  },
): Promise<void> {
  const { pdu, nid, position, receivedTs } = event
  const durationMs = stickyDurationOf(pdu)
  if (durationMs === undefined || receivedTs === undefined) return
  const endsTs = Math.min(receivedTs, pdu.originServerTs) + durationMs
  if (endsTs <= receivedTs) return
  const { inRoom, ofSender } = await countStickyEvents(tx, room.nid, pdu.sender, receivedTs)
  if (inRoom >= MAX_STICKY_IN_ROOM || ofSender >= MAX_STICKY_OF_SENDER) return
  // Clients have passed the positions of history.
  const shownFrom = position === undefined || isOfNow(position) ? position : tx.takePosition()
  await putStickyEvent(tx, { nid, room, sender: pdu.sender, position: shownFrom, endsTs })
}

const isOfNow = (position: number) => position > 0 && Number.isInteger(position)

/**
 * Refuses a sticky event of a local user who has too many in the room.
 *
 * @throws `M_LIMIT_EXCEEDED` with the time until the next one ends
 */
export async function refuseTooSticky(
  tx: Tx,
  room: OpenRoom,
  { sender, stickyMs }: Pick<EventDraft, 'sender' | 'stickyMs'>,
  now: number,
): Promise<void> {
  if (stickyMs === undefined) return
  const { ofSender, firstEndsTs = now } = await countStickyEvents(tx, room.nid, sender, now)
  if (ofSender < MAX_STICKY_OF_SENDER) return
  throw new MatrixError('M_LIMIT_EXCEEDED', 'too many of your events in this room are sticky', {
    extra: { retry_after_ms: Math.max(1, firstEndsTs - now) },
  })
}
