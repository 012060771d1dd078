// SPDX-License-Identifier: Apache-2.0
import { readDelayedEvent } from '@myelin/services/rooms/delayed/manage-events'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DELAYED_EVENT_MEMBERS, DELAYED_EVENTS, DelayedEventParams } from './delayed-event-schemas.ts'

/**
 * Returns one of the requester's delayed events.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export const getDelayedEvent = endpoint({
  id: 'getDelayedEvent',
  method: 'GET',
  path: `${DELAYED_EVENTS}/:delayId`,
  access: 'guest',
  params: DelayedEventParams,
  reply: Type.Object(DELAYED_EVENT_MEMBERS),

  handle: async ({ params: { delayId }, requester }, rt) => readDelayedEvent(rt, requester.userId, delayId),
})
