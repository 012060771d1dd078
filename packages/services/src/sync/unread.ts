// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { evaluate } from '@myelin/rules/push/evaluate'
import type { Read } from '@myelin/storage/engine/database'
import { reachesBackTo, timeline } from '@myelin/storage/rooms/events/events'
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { Room } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { readUpTo, unreadCounts } from '@myelin/storage/sync/unread'
import type { ReadUpTo, UnreadCount } from '@myelin/storage/sync/unread'
import { pushContext } from '../account-data/push-rules.ts'
import type { Slice } from './sync-request.ts'

/** The members of a joined room in `/sync` that say what is unread. */
export interface Unread {
  readonly unread_notifications: { readonly notification_count: number; readonly highlight_count: number }
  readonly unread_thread_notifications?: Readonly<
    Record<string, { notification_count: number; highlight_count: number }>
  >
}

// Who has rules of their own is counted event by event; so many are read at the most.
const MAX_EVALUATED = 1000

/**
 * What is unread for the user, nothing of it stored per recipient: events carry what the default rules say of them, and
 * a user's own rules are evaluated over what they have not read.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
export async function unreadOf(
  db: Read,
  slice: Slice,
  {
    membership: { roomId, position: joined },
    room,
    tail,
  }: {
    readonly membership: Membership
    readonly room: Pick<Room, 'notified'>
    readonly tail?: readonly StoredEvent[] | undefined
  },
): Promise<Unread> {
  const own = tail?.find(({ pdu }) => pdu.sender === slice.user)
  const question = {
    roomId,
    user: slice.user,
    joined,
    upTo: slice.upTo.position,
    ...(tail ? { notified: room.notified, knowsSince: (position: number) => reachesBackTo(tail, position) } : {}),
    ...(own
      ? { lastOwn: { position: own.position ?? 0, isInThread: own.thread !== null, notified: own.notified } }
      : {}),
  }
  const read = await readUpTo(db, question)
  const counts = slice.hasOwnRules ? await evaluated(db, slice, roomId, read) : await unreadCounts(db, question, read)
  return written(counts, slice.request.filter.timeline.unreadThreadNotifications)
}

function written(counts: readonly UnreadCount[], areThreadsApart: boolean): Unread {
  const main = { notification_count: 0, highlight_count: 0 }
  const threads: Record<string, { notification_count: number; highlight_count: number }> = {}
  for (const { thread, notifications, highlights } of counts) {
    if (areThreadsApart && thread !== undefined) {
      threads[thread] = { notification_count: notifications, highlight_count: highlights }
      continue
    }
    main.notification_count += notifications
    main.highlight_count += highlights
  }
  const hasThreads = Object.keys(threads).length > 0
  return { unread_notifications: main, ...(hasThreads ? { unread_thread_notifications: threads } : {}) }
}

async function evaluated(db: Read, slice: Slice, roomId: RoomId, read: ReadUpTo): Promise<UnreadCount[]> {
  const before = slice.upTo.position + 1
  const events = await timeline(db, {
    roomId,
    direction: 'backward',
    after: read.everywhere,
    before,
    limit: MAX_EVALUATED,
  })
  const roots = new Map(events.map((event) => [event.nid, event.pdu.id]))
  const context = await pushContext(db, slice.user, roomId)
  const counts = new Map<UnreadCount['thread'], { notifications: number; highlights: number }>()
  for (const event of events) {
    if (event.redactedBy !== null) continue
    const thread = event.thread === null ? undefined : roots.get(event.thread)
    if ((event.position ?? 0) <= (thread === undefined ? read.main : (read.threads.get(thread) ?? 0))) continue
    const outcome = evaluate(context.rules, event.pdu, context.forSender(event.pdu.sender))
    if (!outcome.notify) continue
    const count = counts.get(thread) ?? { notifications: 0, highlights: 0 }
    count.notifications++
    if (outcome.highlight) count.highlights++
    counts.set(thread, count)
  }
  return [...counts].map(([thread, count]) => ({ thread, ...count }))
}
