// SPDX-License-Identifier: Apache-2.0
import { readContext } from '@myelin/services/reading/context'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'
import { EventParams, filterFrom } from './event-params.ts'

const DEFAULT_LIMIT = 10

/**
 * Returns an event with events around it and the state of the room after them.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid
 */
export const getEventContext = endpoint({
  id: 'getEventContext',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/context/:eventId',
  access: 'guest',
  params: EventParams,
  query: Type.Object({ limit: OptionalLimit, filter: OptionalText }),
  reply: Type.Object({
    start: Type.String(),
    end: Type.String(),
    event: Type.Optional(ClientEventSchema),
    events_before: Type.Array(ClientEventSchema),
    events_after: Type.Array(ClientEventSchema),
    state: Type.Array(ClientEventSchema),
  }),

  async handle({ params, query, requester }, rt) {
    const filter = filterFrom(query.filter)
    return readContext(rt, requester, { ...params, limit: query.limit ?? filter.limit ?? DEFAULT_LIMIT, filter })
  },
})
