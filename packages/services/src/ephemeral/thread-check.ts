// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventById, eventsRelatingTo } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { relatesTo } from '../rooms/append/relation.ts'

/** The relations followed from an event to a thread root, as the spec recommends. */
const MAX_HOPS = 3

/**
 * Throws `M_INVALID_PARAM` if an event is not in a thread.
 *
 * Thread roots, and events that relate to them outside of the thread, are in the main timeline. As in Synapse, receipts
 * on them are accepted for their thread, too.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts
 */
export async function checkThread(db: Read, event: StoredEvent, threadId: string): Promise<void> {
  const isInThread = threadId === 'main' ? event.thread === null : await belongsTo(db, event, threadId as EventId)
  if (!isInThread) throw new MatrixError('M_INVALID_PARAM', 'the event is not in that thread')
}

async function belongsTo(db: Read, event: StoredEvent, rootId: EventId): Promise<boolean> {
  const root = await eventById(db, rootId)
  if (!root || root.pdu.roomId !== event.pdu.roomId) return false
  if (event.thread !== null) return event.thread === root.nid
  if (!(await leadsTo(db, event, rootId))) return false
  return (await eventsRelatingTo(db, [rootId], ['m.thread'], 1)).length > 0
}

async function leadsTo(db: Read, event: StoredEvent, rootId: EventId): Promise<boolean> {
  let at: StoredEvent | undefined = event
  for (let hop = 0; at && hop <= MAX_HOPS; hop++) {
    if (at.pdu.id === rootId) return true
    const parent: EventId | undefined = at.pdu.stateKey === undefined ? relatesTo(at.pdu.content)?.parent : undefined
    at = parent === undefined ? undefined : await eventById(db, parent)
  }
  return false
}
