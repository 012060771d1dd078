// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { EventFacts } from '@myelin/storage/rooms/events/event-row'
import type { Read } from '@myelin/storage/engine/database'
import { eventById, eventsRelatingTo, placeOfEvent } from '@myelin/storage/rooms/events/events'
import type { EventDraft } from '../drafts/event-draft.ts'

/** Returns an event's relation to its parent, from its content. */
export function relatesTo(
  content: JsonObject,
): { readonly parent: EventId; readonly relType: string; readonly key?: string } | undefined {
  const relation = objectMember(content, 'm.relates_to')
  if (!relation) return undefined
  const [parent, relType] = [stringMember(relation, 'event_id'), stringMember(relation, 'rel_type')]
  if (parent === undefined || relType === undefined || parent.length > 255) return undefined
  const key = stringMember(relation, 'key')
  return { parent: parent as EventId, relType, ...(key === undefined ? {} : { key }) }
}

/**
 * Returns an event's relation, and its thread: its own, or its parent's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events
 */
export function relationOf(db: Read, event: Pdu): Promise<RelationFacts> {
  const relation = event.stateKey === undefined ? relatesTo(event.content) : undefined
  return relation ? factsOf(db, relation) : noRelation
}

type Relation = NonNullable<ReturnType<typeof relatesTo>>
type RelationFacts = Pick<EventFacts, 'relatesTo' | 'relType' | 'thread'>
// Shared, because most events have no relation.
const noRelation: Promise<RelationFacts> = Promise.resolve({})

async function factsOf(db: Read, relation: Relation): Promise<RelationFacts> {
  const parent = await placeOfEvent(db, relation.parent)
  const thread = relation.relType === 'm.thread' ? parent?.nid : (parent?.thread ?? undefined)
  return { relatesTo: relation.parent, relType: relation.relType, ...(thread === undefined ? {} : { thread }) }
}

/**
 * Refuses a local user's duplicate reaction (`M_DUPLICATE_ANNOTATION`), and a thread whose root relates to another
 * event itself (`M_UNKNOWN`).
 */
export function checkRelation(db: Read, draft: EventDraft): Promise<void> {
  const relation = draft.stateKey === undefined ? relatesTo(draft.content) : undefined
  return relation ? checkParent(db, draft, relation) : nothingToCheck
}

const nothingToCheck = Promise.resolve()

async function checkParent(db: Read, draft: EventDraft, relation: Relation): Promise<void> {
  if (relation.relType === 'm.thread') {
    const parent = await eventById(db, relation.parent)
    if (parent && relatesTo(parent.pdu.content)) {
      throw new MatrixError('M_UNKNOWN', 'a thread cannot start at an event that relates to another', { status: 400 })
    }
  }
  if (relation.relType !== 'm.annotation') return
  const earlier = await eventsRelatingTo(db, [relation.parent], ['m.annotation'], 1000)
  const isTwice = earlier.some(
    ({ pdu, redactedBy }) =>
      redactedBy === null &&
      pdu.sender === draft.sender &&
      pdu.type === draft.type &&
      relatesTo(pdu.content)?.key === relation.key,
  )
  if (isTwice) throw new MatrixError('M_DUPLICATE_ANNOTATION', 'user has already sent this reaction')
}
