// SPDX-License-Identifier: Apache-2.0
import { listDelayedEvents } from '@myelin/services/rooms/delayed/manage-events'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DELAYED_EVENT_MEMBERS, DELAYED_EVENTS } from './delayed-event-schemas.ts'

/**
 * Returns the requester's delayed events.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export const getDelayedEvents = endpoint({
  id: 'getDelayedEvents',
  method: 'GET',
  path: DELAYED_EVENTS,
  access: 'guest',
  reply: Type.Object({
    delayed_events: Type.Array(
      Type.Object({ ...DELAYED_EVENT_MEMBERS, delay: Type.Integer(), running_since: Type.Integer() }),
    ),
  }),

  handle: async ({ requester }, rt) => ({ delayed_events: await listDelayedEvents(rt, requester.userId) }),
})
