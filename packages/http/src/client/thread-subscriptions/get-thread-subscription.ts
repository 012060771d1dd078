// SPDX-License-Identifier: Apache-2.0
import { readThreadSubscription } from '@myelin/services/notifications/thread-subscriptions'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { SUBSCRIPTION, SubscriptionParams } from './subscription-params.ts'

/**
 * Returns the requester's subscription to a thread.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4306
 */
export const getThreadSubscription = endpoint({
  id: 'getThreadSubscription',
  method: 'GET',
  path: SUBSCRIPTION,
  access: 'user',
  params: SubscriptionParams,
  reply: Type.Object({ automatic: Type.Boolean() }),

  handle: async ({ params: { roomId, threadRootId: root }, requester }, rt) =>
    readThreadSubscription(rt, requester, { roomId, root }),
})
