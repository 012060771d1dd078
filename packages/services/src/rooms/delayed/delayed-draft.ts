// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import type { DelayedEvent } from '@myelin/storage/rooms/delayed-events'
import { DELAYED_DEVICE } from '@myelin/storage/rooms/delayed-events'
import type { EventDraft } from '../drafts/event-draft.ts'
import { sendEvent } from '../send-event.ts'
import { setState } from '../set-state.ts'

/** The part of the runtime that sending a delayed event takes. */
export type DelayedEventNeeds = Parameters<typeof setState>[0] & Parameters<typeof sendEvent>[0]

/**
 * Sends a delayed event now, or tries whether it could be sent. `claim` runs in the unit that sends it, and may refuse it.
 */
export async function sendDelayed(
  rt: DelayedEventNeeds,
  event: DelayedEvent,
  { claim, isRehearsal = false }: { readonly claim: (tx: Tx) => Promise<void>; readonly isRehearsal?: boolean },
): Promise<EventId> {
  const { type, stateKey, content } = event
  const redacts = type === 'm.room.redaction' ? stringMember(content, 'redacts') : undefined
  const draft: EventDraft = {
    roomId: event.roomId,
    sender: event.userId,
    type,
    content,
    claim,
    isRehearsal,
    ...(event.stickyMs > 0 ? { stickyMs: event.stickyMs } : {}),
    transaction: { deviceId: DELAYED_DEVICE, txnId: event.delayId },
    ...(redacts === undefined ? {} : { redacts: redacts as EventId }),
  }
  return stateKey === undefined ? sendEvent(rt, draft) : setState(rt, { ...draft, stateKey })
}
