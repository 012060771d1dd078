// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import type { Tx } from '@myelin/storage/engine/database'
import { appendEvent } from '@myelin/storage/rooms/append/append-event'
import { EVENT_STATUS, eventsByNid } from '@myelin/storage/rooms/events/events'
import { openRoom } from '@myelin/storage/rooms/rooms'
import { showStickyEvent } from '@myelin/storage/rooms/sticky-events'
import { putHighlights } from '@myelin/storage/sync/highlights'
import { loadAuthState } from '../../room-state/load-auth-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { judgeNotification } from '../append/notification.ts'
import { applyRedaction } from '../append/redact.ts'
import { relationOf } from '../append/relation.ts'

/**
 * Appends a soft-failed sticky event where the current state of its room allows it now; returns whether it does.
 *
 * The event comes last in the timeline, and does not become a forward extremity: events after it may be known already.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
export async function acceptSoftFailed(tx: Tx, roomId: RoomId, nid: number): Promise<boolean> {
  const room = await openRoom(tx, roomId)
  const event = (await eventsByNid(tx, [nid])).get(nid)
  if (!room || room.isUnsettled || event?.status !== EVENT_STATUS.softFailed || event.redactedBy !== null) return false
  const { pdu, stateBefore, stateAfter } = event
  const { state } = await loadAuthState(tx, room.stateRoot, pdu, roomVersionOf(room.roomVersion))
  if (!authorize(pdu, state).allowed) return false
  const notification = judgeNotification(pdu, state)
  const facts = { notifies: notification.notifies, ...(await relationOf(tx, pdu)) }
  const { position } = await appendEvent(tx, room, pdu, facts, {
    stateBefore,
    stateAfter,
    roomRoot: room.stateRoot,
    extremityNids: room.extremityNids,
    extremityCount: room.extremityCount,
    nid,
    isKept: true,
  })
  await showStickyEvent(tx, roomId, nid, position)
  await putHighlights(tx, room, notification.highlights, position)
  await applyRedaction(tx, pdu, nid, state)
  return true
}
