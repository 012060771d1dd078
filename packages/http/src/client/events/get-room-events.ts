// SPDX-License-Identifier: Apache-2.0
import { readMessages } from '@myelin/services/reading/messages'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalText, oneOf, RoomIdSchema } from '../../schemas.ts'
import { filterFrom } from './event-params.ts'

const DEFAULT_LIMIT = 10

/**
 * Returns a page of a room's timeline.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages
 */
export const getRoomEvents = endpoint({
  id: 'getRoomEvents',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/messages',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({
    // Required by the spec, and left out by clients; forwards then.
    dir: Type.Optional(oneOf(['b', 'f'])),
    from: OptionalText,
    to: OptionalText,
    limit: OptionalLimit,
    filter: OptionalText,
  }),
  reply: Type.Object({
    chunk: Type.Array(ClientEventSchema),
    start: Type.String(),
    end: OptionalText,
    state: Type.Optional(Type.Array(ClientEventSchema)),
  }),

  async handle({ params, query, requester }, rt) {
    const filter = filterFrom(query.filter)
    return readMessages(rt, requester, {
      roomId: params.roomId,
      direction: query.dir === 'b' ? 'backward' : 'forward',
      from: query.from,
      to: query.to,
      limit: query.limit ?? filter.limit ?? DEFAULT_LIMIT,
      filter,
    })
  },
})
