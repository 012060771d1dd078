// SPDX-License-Identifier: Apache-2.0
import { manageDelayedEvent } from '@myelin/services/rooms/delayed/manage-events'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DELAYED_EVENTS, DelayedEventParams } from './delayed-event-schemas.ts'

/**
 * Cancels one of the requester's delayed events.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export const cancelDelayedEvent = endpoint({
  id: 'cancelDelayedEvent',
  method: 'POST',
  path: `${DELAYED_EVENTS}/:delayId/cancel`,
  access: 'guest',
  params: DelayedEventParams,
  reply: EmptySchema,

  async handle({ params: { delayId }, requester }, rt) {
    await manageDelayedEvent(rt, requester.userId, delayId, 'cancel')
    return {}
  },
})
