// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { threadSubscriptionsBetween } from '@myelin/storage/sync/thread-subscriptions'
import { printPosition } from '../../../room-state/page-token.ts'
import { threadChanges } from '../../thread-changes.ts'
import type { SlidingExtension } from './extension.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 512

/**
 * `io.element.msc4308.thread_subscriptions`: the user's thread subscriptions that changed, the latest ones. Where there may be
 * more, `prev_batch` is the token from which `/thread_subscriptions` goes on.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4308
 */
export const threadSubscriptionsExtension: SlidingExtension = {
  name: 'io.element.msc4308.thread_subscriptions',
  begin: async (_rt, _requester, config) => void limitOf(config),
  async read({ sync }, config) {
    const { db, slice, after, upTo } = sync
    if (!db.topicPositions.changedSince(slice.user, after)) return undefined
    const limit = limitOf(config)
    const changes = await threadSubscriptionsBetween(db, slice.user, { after, upTo, limit })
    const last = changes.at(-1)
    if (!last) return undefined
    const more = changes.length === limit ? { prev_batch: printPosition(last.position - 1) } : {}
    return { value: { ...threadChanges(changes), ...more }, hasNews: true }
  },
}

function limitOf(config: JsonObject): number {
  const asked = member(config, 'limit')
  // Synapse refuses null.
  const limit = asked === undefined ? DEFAULT_LIMIT : asked
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1)
    throw new MatrixError('M_INVALID_PARAM', '`limit` of `thread_subscriptions` must be a positive integer')
  return Math.min(limit, MAX_LIMIT)
}
