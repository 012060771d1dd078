// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventById, eventsRelatingTo } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { relatesTo } from '../rooms/relation.ts'

/** How many relations are followed from an event towards the root of a thread, as the spec recommends. */
const MAX_HOPS = 3

/**
 * Throws `M_INVALID_PARAM` for an event that cannot be read in this thread.
 *
 * Thread roots, and what relates to them without being in the thread, are read in the main timeline; as Synapse does,
 * we take receipts on them for the thread too, where there is one.
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
