// SPDX-License-Identifier: Apache-2.0
import { encodeJson } from '@myelin/kit/raw-json'
import { RawJson } from '@myelin/kit/raw-json'
import { member, objectMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/database'
import { childrenOf } from '@myelin/storage/children'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { relatesTo } from '../rooms/relation.ts'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import type { View } from './view.ts'

type Render = (db: Read, events: readonly StoredEvent[], view: View) => Promise<RawJson[]>

// A page's events with more children than this are bundled from the oldest ones.
const MAX_CHILDREN = 2000

/**
 * What is bundled into each event: its latest edit, its thread, and who refers to it. Children by ignored users and
 * redacted ones do not count; state events carry nothing.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events
 */
export async function bundledRelations(
  db: Read,
  events: readonly StoredEvent[],
  view: View,
  render: Render,
): Promise<Map<number, RawJson>> {
  const parents = events.filter(({ pdu }) => pdu.stateKey === undefined)
  const [first] = parents
  if (!first) return new Map()
  const ids = parents.map(({ pdu }) => pdu.id)
  const all = await childrenOf(db, first.pdu.roomId, ids, MAX_CHILDREN)
  if (all.length === 0) return new Map()
  const ignored = await ignoredUsers(db, view.requester.userId)
  const bundles = new Map<number, RawJson>()
  for (const parent of parents) {
    const children = all.filter(
      ({ redactedBy, pdu }) =>
        redactedBy === null &&
        pdu.roomId === parent.pdu.roomId &&
        !ignored.has(pdu.sender) &&
        relatesTo(pdu.content)?.parent === parent.pdu.id,
    )
    if (children.length === 0) continue
    const bundle: Record<string, unknown> = {}
    const edit = parent.redactedBy === null ? latestEdit(parent, ofType(children, 'm.replace')) : undefined
    if (edit) bundle['m.replace'] = (await render(db, [edit], view))[0]
    const replies = ofType(children, 'm.thread')
    const latest = replies.at(-1)
    if (latest) {
      bundle['m.thread'] = {
        latest_event: (await render(db, [latest], view))[0],
        count: replies.length,
        current_user_participated: [parent, ...replies].some(({ pdu }) => pdu.sender === view.requester.userId),
      }
    }
    const references = ofType(children, 'm.reference')
    if (references.length > 0) bundle['m.reference'] = { chunk: references.map(({ pdu }) => ({ event_id: pdu.id })) }
    if (Object.keys(bundle).length > 0) bundles.set(parent.nid, new RawJson(encodeJson(bundle)))
  }
  return bundles
}

function ofType(children: readonly StoredEvent[], relType: string): StoredEvent[] {
  return children.filter(({ pdu }) => member(objectMember(pdu.content, 'm.relates_to') ?? {}, 'rel_type') === relType)
}

/**
 * The edit in force: by the same sender, of the same type, with new content; the latest by time, then by id.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events
 */
function latestEdit(parent: StoredEvent, edits: readonly StoredEvent[]): StoredEvent | undefined {
  if (member(objectMember(parent.pdu.content, 'm.relates_to') ?? {}, 'rel_type') === 'm.replace') return undefined
  const valid = edits.filter(
    ({ pdu }) =>
      pdu.sender === parent.pdu.sender &&
      pdu.type === parent.pdu.type &&
      pdu.stateKey === undefined &&
      (pdu.type === 'm.room.encrypted' || objectMember(pdu.content, 'm.new_content') !== undefined),
  )
  return valid.reduce<StoredEvent | undefined>((best, edit) => {
    if (!best || edit.pdu.originServerTs > best.pdu.originServerTs) return edit
    return edit.pdu.originServerTs === best.pdu.originServerTs && edit.pdu.id > best.pdu.id ? edit : best
  }, undefined)
}
