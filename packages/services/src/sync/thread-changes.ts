// SPDX-License-Identifier: Apache-2.0
import type { ThreadSubscription } from '@myelin/storage/sync/thread-subscriptions'

/** Threads by room and root. */
type ByThread<Value> = Readonly<Record<string, Readonly<Record<string, Value>>>>

/** Changed subscriptions in the form of MSC4308. */
export interface ThreadChanges {
  readonly subscribed?: ByThread<{ readonly automatic: boolean; readonly bump_stamp: number }>
  readonly unsubscribed?: ByThread<{ readonly bump_stamp: number }>
}

/** Returns changed subscriptions in the form of MSC4308. */
export function threadChanges(changes: readonly ThreadSubscription[]): ThreadChanges {
  const subscribed: Record<string, Record<string, { automatic: boolean; bump_stamp: number }>> = {}
  const unsubscribed: Record<string, Record<string, { bump_stamp: number }>> = {}
  for (const { roomId, root, isSubscribed, isAutomatic, position } of changes) {
    if (isSubscribed) (subscribed[roomId] ??= {})[root] = { automatic: isAutomatic, bump_stamp: position }
    else (unsubscribed[roomId] ??= {})[root] = { bump_stamp: position }
  }
  return {
    ...(Object.keys(subscribed).length > 0 ? { subscribed } : {}),
    ...(Object.keys(unsubscribed).length > 0 ? { unsubscribed } : {}),
  }
}
