// SPDX-License-Identifier: Apache-2.0
import { encodeJson } from '@myelin/kit/raw-json'
import { RawJson } from '@myelin/kit/raw-json'
import { member, objectMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { childrenOf, eventsWithChildren } from '@myelin/storage/rooms/events/children'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { threadsAt } from '@myelin/storage/sync/threads'
import type { Thread } from '@myelin/storage/sync/threads'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { relatesTo } from '../rooms/append/relation.ts'
import { ignoredUsers } from '../standing/ignored-users.ts'
import { prunedFor } from './erased.ts'
import type { View } from './view.ts'
import { visibleTo } from './visible.ts'

type Render = (db: Read, events: readonly StoredEvent[], view: View) => Promise<RawJson[]>

// The limit of edits and references read for a page; the oldest ones are taken.
const MAX_CHILDREN = 2000

/**
 * Returns the bundled aggregations of events: latest edit, thread and references. Children by ignored users and redacted
 * ones do not count; state events have none.
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
  const { roomId } = first.pdu
  const ids = await eventsWithChildren(
    db,
    roomId,
    parents.map(({ pdu }) => pdu.id),
  )
  if (ids.length === 0) return new Map()
  const reader = { userId: view.requester.userId, ignored: await ignoredUsers(db, view.requester.userId) }
  const all = await childrenOf(db, roomId, ids, MAX_CHILDREN, ['m.replace', 'm.reference'])
  const threads = await threadsAt(db, roomId, ids, reader)
  const latest = await eventsByNid(
    db,
    [...threads.values()].map((thread) => thread.latest),
  )
  const found = parents.map((parent) => {
    const children = all.filter((child) => !reader.ignored.has(child.pdu.sender) && isChildOf(parent, child))
    const edit = parent.redactedBy === null ? latestEdit(parent, ofType(children, 'm.replace')) : undefined
    const thread = threads.get(parent.pdu.id)
    const reply = thread && latest.get(thread.latest)
    return { parent, edit, thread: reply && { ...thread, reply }, references: ofType(children, 'm.reference') }
  })
  // A user who left may see an event, but not its later edits and replies.
  const related = found.flatMap(({ edit, thread }) => [edit ?? [], thread?.reply ?? []].flat())
  const seen = new Set(await visibleTo(db, reader.userId, roomId, related))
  // An edit that was erased would hide the original, which the requester may still read.
  for (const edit of await prunedFor(
    db,
    found.flatMap((each) => each.edit ?? []),
    reader.userId,
  )) {
    seen.delete(edit)
  }
  const bundles = new Map<number, RawJson>()
  for (const { parent, edit, thread, references } of found) {
    const bundle: Record<string, unknown> = {}
    if (edit && seen.has(edit)) bundle['m.replace'] = (await render(db, [edit], { ...view, bundles: false }))[0]
    if (thread && seen.has(thread.reply)) bundle['m.thread'] = await summaryOf(db, parent, thread, { view, render })
    if (references.length > 0) bundle['m.reference'] = { chunk: references.map(({ pdu }) => ({ event_id: pdu.id })) }
    if (Object.keys(bundle).length > 0) bundles.set(parent.nid, new RawJson(encodeJson(bundle)))
  }
  return bundles
}

function isChildOf(parent: StoredEvent, { redactedBy, pdu }: StoredEvent): boolean {
  return redactedBy === null && pdu.roomId === parent.pdu.roomId && relatesTo(pdu.content)?.parent === parent.pdu.id
}

/**
 * Returns the thread summary of a thread root. The latest event has its own edit and references, one level deep: events of
 * other servers may refer to each other in a ring.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mthread-relationships
 */
async function summaryOf(
  db: Read,
  root: StoredEvent,
  { reply, count, isIn }: Pick<Thread, 'count' | 'isIn'> & { readonly reply: StoredEvent },
  { view, render }: { readonly view: View; readonly render: Render },
): Promise<object> {
  const inner: View = { ...view, bundles: view.bundles === true ? 'inner' : false }
  return {
    latest_event: (await render(db, [reply], inner))[0],
    count,
    current_user_participated: isIn || root.pdu.sender === view.requester.userId,
  }
}

function ofType(children: readonly StoredEvent[], relType: string): StoredEvent[] {
  return children.filter(({ pdu }) => member(objectMember(pdu.content, 'm.relates_to') ?? {}, 'rel_type') === relType)
}

/**
 * Returns the valid edit: by the same sender, of the same type, with `m.new_content`; the latest by timestamp, then by ID.
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
