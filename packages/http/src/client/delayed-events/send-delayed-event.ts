// SPDX-License-Identifier: Apache-2.0
import { manageDelayedEvent } from '@myelin/services/rooms/delayed/manage-events'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DELAYED_EVENTS, DelayedEventParams } from './delayed-event-schemas.ts'

/**
 * Sends one of the requester's delayed events now.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export const sendDelayedEvent = endpoint({
  id: 'sendDelayedEvent',
  method: 'POST',
  path: `${DELAYED_EVENTS}/:delayId/send`,
  access: 'guest',
  params: DelayedEventParams,
  reply: EmptySchema,

  async handle({ params: { delayId }, requester }, rt) {
    await manageDelayedEvent(rt, requester.userId, delayId, 'send')
    return {}
  },
})
