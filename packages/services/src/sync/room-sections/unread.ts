// SPDX-License-Identifier: Apache-2.0
import { evaluate } from '@myelin/rules/push/evaluate'
import type { Read } from '@myelin/storage/engine/database'
import { reachesBackTo, timeline } from '@myelin/storage/rooms/events/events'
import { readUpTo, unreadCounts } from '@myelin/storage/sync/unread'
import type { ReadUpTo, UnreadCount, UnreadQuestion } from '@myelin/storage/sync/unread'
import { pushContext, threadSubscriptionOf } from '../../account-data/push-rules.ts'
import type { RoomScope, RoomSection } from './room-section.ts'

/** The members of a room's entry that count unread events. */
interface Unread {
  readonly unread_notifications: { readonly notification_count: number; readonly highlight_count: number }
  readonly unread_thread_notifications?: Readonly<
    Record<string, { notification_count: number; highlight_count: number }>
  >
}

// Own push rules are evaluated over at most this many unread events.
const MAX_EVALUATED = 1000

/**
 * `unread_notifications` of a room, and `unread_thread_notifications` if threads are counted separately.
 *
 * Counts are not stored per recipient. Events have the outcome of the default rules; own rules of a user are evaluated
 * over the unread events. Counts alone make no entry: they change with events, receipts and account data.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
export const unreadSection: RoomSection = {
  read: async (room) => ({ members: { ...(await unreadOf(room)) }, hasChanged: false }),
}

/** Counts a user's unread events of a room; {@link UnreadQuestion} for what the caller may know already. */
export async function countUnread(
  db: Read,
  question: UnreadQuestion,
  hasOwnRules: boolean,
): Promise<readonly UnreadCount[]> {
  const read = await readUpTo(db, question)
  if (hasOwnRules) return evaluated(db, question, read)
  return unreadCounts(db, question, read, await threadSubscriptionOf(db, question.user))
}

/** Returns how many events of a joined room the user has not read. */
export async function unreadOf({
  scope: { db, slice },
  membership: { roomId, position: joined },
  room,
  tail,
}: Pick<RoomScope, 'membership' | 'room' | 'tail'> & {
  readonly scope: Pick<RoomScope['scope'], 'db' | 'slice'>
}): Promise<Unread> {
  const own = tail?.find(({ pdu, thread }) => pdu.sender === slice.user && thread === null)
  const question = {
    roomId,
    user: slice.user,
    joined,
    upTo: slice.upTo.position,
    ...(tail ? { notified: room.notified, knowsSince: (position: number) => reachesBackTo(tail, position) } : {}),
    ...(own ? { lastOwn: { position: own.position ?? 0, notified: own.notified } } : {}),
    ignored: slice.ignored,
  }
  const counts = await countUnread(db, question, slice.hasOwnRules)
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

async function evaluated(
  db: Read,
  { user, roomId, upTo, ignored }: UnreadQuestion,
  read: ReadUpTo,
): Promise<UnreadCount[]> {
  const before = upTo + 1
  const events = await timeline(db, {
    roomId,
    direction: 'backward',
    after: read.everywhere,
    before,
    limit: MAX_EVALUATED,
  })
  const roots = new Map(events.map((event) => [event.nid, event.pdu.id]))
  const context = await pushContext(db, user, roomId)
  const counts = new Map<UnreadCount['thread'], { notifications: number; highlights: number }>()
  for (const event of events) {
    if (event.redactedBy !== null || ignored.has(event.pdu.sender)) continue
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
