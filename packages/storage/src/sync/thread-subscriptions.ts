// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { cachedReader } from '../engine/cached-reader.ts'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { eventIdOf } from '../rooms/events/event-ids.ts'
import type { Nid, Position } from '../schema/schema.ts'

/** A thread that a user subscribed to, or unsubscribed from. */
export interface ThreadSubscription {
  readonly roomId: RoomId
  readonly root: EventId
  readonly isSubscribed: boolean
  /** An event caused the subscription, not the user by hand. */
  readonly isAutomatic: boolean
  /** The position of the last change. */
  readonly position: Position
}

/** The stored state of one thread for a user; `unsubscribedAt` is the position of the last unsubscription, 0 for none. */
export interface ThreadState {
  readonly isSubscribed: boolean
  readonly isAutomatic: boolean
  readonly unsubscribedAt: Position
}

/** The most threads of a user; beyond it the ones that changed longest ago are forgotten. */
const MAX_THREADS = 10_000

/** Returns whether a user subscribed to a thread; undefined where the user never did. */
export async function threadStateOf(db: Read, user: UserId, thread: Nid): Promise<ThreadState | undefined> {
  const row = await db
    .selectFrom('thread_subscriptions')
    .selectAll()
    .where('user_id', '=', user)
    .where('thread_nid', '=', thread)
    .executeTakeFirst()
  return (
    row && {
      isSubscribed: row.is_subscribed === 1,
      isAutomatic: row.is_automatic === 1,
      unsubscribedAt: row.unsubscribed_at,
    }
  )
}

/** Stores a user's subscription to a thread, or its end, and wakes the user's devices. */
export async function putThreadState(
  tx: Tx,
  { user, thread, room }: { readonly user: UserId; readonly thread: Nid; readonly room: Nid },
  state: Pick<ThreadState, 'isSubscribed' | 'isAutomatic'>,
): Promise<void> {
  const position = tx.takePosition()
  const row = {
    is_subscribed: Number(state.isSubscribed),
    is_automatic: Number(state.isAutomatic),
    position,
    ...(state.isSubscribed ? {} : { unsubscribed_at: position }),
  }
  await tx
    .insertInto('thread_subscriptions')
    .values({ user_id: user, thread_nid: thread, room_nid: room, unsubscribed_at: 0, ...row })
    .onConflict((at) => at.columns(['user_id', 'thread_nid']).doUpdateSet(row))
    .execute()
  tx.touch(user)
  await forgetOldest(tx, user)
}

async function forgetOldest(tx: Tx, user: UserId): Promise<void> {
  const [last] = await tx
    .selectFrom('thread_subscriptions')
    .select('position')
    .where('user_id', '=', user)
    .orderBy('position', 'desc')
    .limit(1)
    .where((row) =>
      row(
        row
          .selectFrom('thread_subscriptions as newer')
          .select((each) => each.fn.countAll<number>().as('count'))
          .whereRef('newer.user_id', '=', 'thread_subscriptions.user_id')
          .whereRef('newer.position', '>', 'thread_subscriptions.position'),
        '>=',
        MAX_THREADS,
      ),
    )
    .execute()
  if (!last) return
  await tx
    .deleteFrom('thread_subscriptions')
    .where('user_id', '=', user)
    .where('position', '<=', last.position)
    .execute()
}

const allOf = prepared((db, user: UserId) =>
  db
    .selectFrom('thread_subscriptions')
    .innerJoin('events', 'events.event_nid', 'thread_subscriptions.thread_nid')
    .select(['events.event_id', 'thread_subscriptions.is_subscribed'])
    .where('user_id', '=', user),
)

/**
 * Returns for each thread of a user whether they are subscribed to it; empty for users whose clients do not subscribe to
 * threads. Read once until something of the user changes.
 */
export const subscribedThreads: (db: Read, user: UserId) => Promise<ReadonlyMap<string, boolean>> = cachedReader(
  'threadSubscriptions',
  5_000,
  (user: UserId) => user,
  async (db, user: UserId) =>
    new Map((await allOf(db, user)).map((row) => [eventIdOf(row.event_id) as string, row.is_subscribed === 1])),
)

/** Returns the threads of a user that changed after one position and up to another, the latest first, at most `limit`. */
export async function threadSubscriptionsBetween(
  db: Read,
  user: UserId,
  { after, upTo, limit }: { readonly after: Position; readonly upTo: Position; readonly limit: number },
): Promise<ThreadSubscription[]> {
  const rows = await db
    .selectFrom('thread_subscriptions')
    .innerJoin('events', 'events.event_nid', 'thread_subscriptions.thread_nid')
    .innerJoin('rooms', 'rooms.room_nid', 'thread_subscriptions.room_nid')
    .select([
      'events.event_id',
      'rooms.room_id',
      'thread_subscriptions.is_subscribed',
      'thread_subscriptions.is_automatic',
      'thread_subscriptions.position',
    ])
    .where('thread_subscriptions.user_id', '=', user)
    .where('thread_subscriptions.position', '>', after)
    .where('thread_subscriptions.position', '<=', upTo)
    .orderBy('thread_subscriptions.position', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    roomId: row.room_id,
    root: eventIdOf(row.event_id),
    isSubscribed: row.is_subscribed === 1,
    isAutomatic: row.is_automatic === 1,
    position: row.position,
  }))
}
