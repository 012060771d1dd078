// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import { childrenOf } from '@myelin/storage/rooms/events/children'
import { sendEvent } from './send-event.ts'
import type { EventDraft } from './drafts/event-draft.ts'

/** The most related events that one request redacts. */
const MAX_RELATED = 1000

/**
 * Redacts an event and then those that relate to it in one of some ways, `*` for any. Related events that the sender may not
 * redact stay. Returns the ID of the redaction of the event itself; a repeated request redacts what is left.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3912
 */
export async function redactWithRelated(
  rt: Parameters<typeof sendEvent>[0],
  draft: EventDraft & { readonly redacts: EventId },
  relTypes: readonly string[],
): Promise<EventId> {
  const id = await sendEvent(rt, draft)
  if (relTypes.length === 0) return id
  const types = relTypes.includes('*') ? undefined : relTypes
  const related = await childrenOf(rt.db.read, draft.roomId, [draft.redacts], MAX_RELATED, types)
  const { roomId, sender, type, content } = draft
  for (const { pdu, redactedBy } of related) {
    if (redactedBy !== null || pdu.roomId !== roomId || pdu.type === 'm.room.redaction') continue
    try {
      // The request was limited once.
      await sendEvent(rt, { roomId, sender, type, content, redacts: pdu.id, claim: async () => {} })
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
    }
  }
  return id
}
