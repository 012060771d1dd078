// SPDX-License-Identifier: Apache-2.0
import { subscribeToThread } from '@myelin/services/notifications/thread-subscriptions'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { EventIdSchema } from '../../schemas.ts'
import { SUBSCRIPTION, SubscriptionParams } from './subscription-params.ts'

/**
 * Subscribes the requester to a thread.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4306
 */
export const setThreadSubscription = endpoint({
  id: 'setThreadSubscription',
  method: 'PUT',
  path: SUBSCRIPTION,
  access: 'user',
  params: SubscriptionParams,
  body: Type.Object({ automatic: optionalOrNull(EventIdSchema) }),
  reply: EmptySchema,

  async handle({ params: { roomId, threadRootId: root }, body: { automatic }, requester }, rt) {
    await subscribeToThread(rt, requester, { roomId, root }, automatic)
    return {}
  },
})
