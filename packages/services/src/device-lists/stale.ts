// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'

const STALE = 'stale devices '
const WANTED = 'wanted devices '

/** Topics about the device lists of users of other servers. */
export const deviceListTopics = {
  /** A running fetch of a user's devices may be outdated; announced to every node. */
  stale: (user: UserId) => `${STALE}${user}`,
  /** A user's devices should be fetched; announced to this node. */
  wanted: (user: UserId) => `${WANTED}${user}`,
} as const

/** Returns the user of a topic, and whether to fetch their devices or to mark a running fetch as outdated. */
export function deviceListTopic(topic: string): { readonly userId: UserId; readonly isWanted: boolean } | undefined {
  if (topic.startsWith(STALE)) return { userId: topic.slice(STALE.length) as UserId, isWanted: false }
  if (topic.startsWith(WANTED)) return { userId: topic.slice(WANTED.length) as UserId, isWanted: true }
  return undefined
}
