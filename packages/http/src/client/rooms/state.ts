// SPDX-License-Identifier: Apache-2.0
import { setState } from '@myelin/services/rooms/set-state'
import { readState, readStateEvent } from '@myelin/services/reading/room-state'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema, RoomIdSchema } from '../../schemas.ts'

const KEYED = [
  '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey',
  '/_matrix/client/v3/rooms/:roomId/state/:eventType',
  '/_matrix/client/v3/rooms/:roomId/state/:eventType/',
]
const KeyedParams = Type.Object({
  roomId: RoomIdSchema,
  eventType: Type.String(),
  stateKey: Type.Optional(Type.String()),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
export const setRoomStateWithKey = endpoint({
  id: 'setRoomStateWithKey',
  method: 'PUT',
  path: KEYED,
  access: 'user',
  isAct: true,
  bodyIsCanonical: true,
  params: KeyedParams,
  body: JsonObjectSchema,
  async handle({ params, body: content, requester }, rt) {
    const { roomId, eventType: type, stateKey = '' } = params
    return { event_id: await setState(rt, { roomId, sender: requester.userId, type, stateKey, content }) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey */
export const getRoomStateWithKey = endpoint({
  id: 'getRoomStateWithKey',
  method: 'GET',
  path: KEYED,
  access: 'guest',
  params: KeyedParams,
  query: Type.Object({ format: Type.Optional(Type.Union([Type.Literal('content'), Type.Literal('event')])) }),
  async handle({ params, query, requester }, rt) {
    const { roomId, eventType: type, stateKey = '' } = params
    return readStateEvent(rt, requester, { roomId, type, stateKey, isWholeEvent: query.format === 'event' })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstate */
export const getRoomState = endpoint({
  id: 'getRoomState',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/state',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  async handle({ params, requester }, rt) {
    return readState(rt, requester, params.roomId)
  },
})
