// SPDX-License-Identifier: Apache-2.0
import { parseJson } from '@myelin/matrix/parse-json'
import { MatrixError } from '@myelin/matrix/errors'
import { isObject } from '@myelin/matrix/json'
import { readContext } from '@myelin/services/reading/context'
import { eventFilterOf } from '@myelin/services/room-state/event-filter'
import type { EventFilter } from '@myelin/services/room-state/event-filter'
import { readEvent, readMessages } from '@myelin/services/reading/messages'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

const EventParams = Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema })

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages */
export const getRoomEvents = endpoint({
  id: 'getRoomEvents',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/messages',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({
    dir: Type.Union([Type.Literal('b'), Type.Literal('f')]),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
    filter: Type.Optional(Type.String()),
  }),
  async handle({ params, query, requester }, rt) {
    const filter = filterFrom(query.filter)
    return readMessages(rt, requester, {
      roomId: params.roomId,
      direction: query.dir === 'b' ? 'backward' : 'forward',
      from: query.from,
      to: query.to,
      limit: query.limit ?? filter.limit ?? 10,
      filter,
    })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid */
export const getEventContext = endpoint({
  id: 'getEventContext',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/context/:eventId',
  access: 'guest',
  params: EventParams,
  query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 0 })), filter: Type.Optional(Type.String()) }),
  async handle({ params, query, requester }, rt) {
    const filter = filterFrom(query.filter)
    return readContext(rt, requester, { ...params, limit: query.limit ?? filter.limit ?? 10, filter })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid */
export const getOneRoomEvent = endpoint({
  id: 'getOneRoomEvent',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/event/:eventId',
  access: 'guest',
  params: EventParams,
  async handle({ params, requester }, rt) {
    return readEvent(rt, requester, params.roomId, params.eventId)
  },
})

/** A room event filter that travels as JSON in the query string. */
function filterFrom(text: string | undefined): EventFilter {
  if (text === undefined || text === '') return eventFilterOf(undefined)
  const json = parseJson(text)
  if (!isObject(json)) throw new MatrixError('M_BAD_JSON', 'the filter must be an object')
  return eventFilterOf(json)
}
