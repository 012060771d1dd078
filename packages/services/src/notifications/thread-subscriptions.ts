// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { threadRootOf } from '@myelin/rules/push/conditions'
import { roomNid } from '@myelin/storage/engine/names'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { putThreadState, threadStateOf, threadSubscriptionsBetween } from '@myelin/storage/sync/thread-subscriptions'
import { knownEvent } from '../reading/messages.ts'
import { parseToken, printPosition } from '../room-state/page-token.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { threadChanges } from '../sync/thread-changes.ts'
import type { ThreadChanges } from '../sync/thread-changes.ts'

type Needs = Pick<Runtime, 'db'>

/** A thread in a room. */
export interface ThreadName {
  readonly roomId: RoomId
  readonly root: EventId
}

const MAX_LIMIT = 512

/**
 * Returns whether the requester's subscription to a thread is automatic; throws `M_NOT_FOUND` without one.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4306
 */
export async function readThreadSubscription(
  { db }: Needs,
  requester: Requester,
  { roomId, root }: ThreadName,
): Promise<{ readonly automatic: boolean }> {
  const event = await knownEvent(db.read, requester, roomId, root)
  const state = await threadStateOf(db.read, requester.userId, event.nid)
  if (!state?.isSubscribed) throw new MatrixError('M_NOT_FOUND', 'not subscribed to the thread')
  return { automatic: state.isAutomatic }
}

/**
 * Subscribes the requester to a thread: by hand, or automatically because of an event in it. An automatic subscription does not
 * replace one by hand.
 *
 * @throws `M_NOT_FOUND` where one of the events is unknown or hidden, `IO.ELEMENT.MSC4306.M_NOT_IN_THREAD` where the cause is in
 * another thread or none, `IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION` where the user unsubscribed after the cause
 */
export async function subscribeToThread(
  { db }: Needs,
  requester: Requester,
  name: ThreadName,
  causeId: EventId | undefined,
): Promise<void> {
  const event = await knownEvent(db.read, requester, name.roomId, name.root)
  const cause = causeId && (await causeOf(db.read, requester, name, causeId))
  await db.write(async (tx) => {
    const before = await threadStateOf(tx, requester.userId, event.nid)
    if (cause && before && before.unsubscribedAt >= (cause.position ?? 0) && !before.isSubscribed)
      throw new MatrixError('IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION', 'the user unsubscribed after the event')
    const isAutomatic = cause !== undefined
    if (before?.isSubscribed && (isAutomatic || !before.isAutomatic)) return
    const room = await roomNid(tx, name.roomId)
    const place = { user: requester.userId, thread: event.nid, room: room ?? 0 }
    await putThreadState(tx, place, { isSubscribed: true, isAutomatic })
  })
}

async function causeOf(
  db: Needs['db']['read'],
  requester: Requester,
  { roomId, root }: ThreadName,
  causeId: EventId,
): Promise<StoredEvent> {
  const cause = await knownEvent(db, requester, roomId, causeId)
  if (threadRootOf(cause.pdu) !== root)
    throw new MatrixError('IO.ELEMENT.MSC4306.M_NOT_IN_THREAD', 'the event is not in the thread')
  return cause
}

/** Ends the requester's subscription to a thread; throws `M_NOT_FOUND` where the thread is unknown or hidden. */
export async function unsubscribeFromThread(
  { db }: Needs,
  requester: Requester,
  { roomId, root }: ThreadName,
): Promise<void> {
  const event = await knownEvent(db.read, requester, roomId, root)
  await db.write(async (tx) => {
    const before = await threadStateOf(tx, requester.userId, event.nid)
    if (before && !before.isSubscribed) return
    const room = await roomNid(tx, roomId)
    const place = { user: requester.userId, thread: event.nid, room: room ?? 0 }
    await putThreadState(tx, place, { isSubscribed: false, isAutomatic: false })
  })
}

/**
 * Returns a page of the requester's subscriptions, the latest change first, from one token back to another.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4308
 */
export async function readThreadSubscriptions(
  { db }: Needs,
  { userId }: Requester,
  { from, to, limit }: { readonly from: string | undefined; readonly to: string | undefined; readonly limit: number },
): Promise<ThreadChanges & { readonly end?: string }> {
  const upTo = from === undefined ? await db.position() : parseToken(from).position
  const after = to === undefined ? 0 : parseToken(to).position
  const most = Math.min(limit, MAX_LIMIT)
  const changes = await threadSubscriptionsBetween(db.read, userId, { after, upTo, limit: most })
  const last = changes.at(-1)
  const end = last && changes.length === most ? { end: printPosition(last.position - 1) } : {}
  return { ...threadChanges(changes), ...end }
}
