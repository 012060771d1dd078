// SPDX-License-Identifier: Apache-2.0
import { unsubscribeFromThread } from '@myelin/services/notifications/thread-subscriptions'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { SUBSCRIPTION, SubscriptionParams } from './subscription-params.ts'

/**
 * Ends the requester's subscription to a thread.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4306
 */
export const deleteThreadSubscription = endpoint({
  id: 'deleteThreadSubscription',
  method: 'DELETE',
  path: SUBSCRIPTION,
  access: 'user',
  params: SubscriptionParams,
  reply: EmptySchema,

  async handle({ params: { roomId, threadRootId: root }, requester }, rt) {
    await unsubscribeFromThread(rt, requester, { roomId, root })
    return {}
  },
})
