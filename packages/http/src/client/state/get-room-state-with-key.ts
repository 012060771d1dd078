// SPDX-License-Identifier: Apache-2.0
import { readStateEvent } from '@myelin/services/reading/room-state'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { oneOf } from '../../schemas.ts'
import { STATE_EVENT, StateEventParams } from './state-params.ts'

/**
 * Returns the content of a state event, or the whole event.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey
 */
export const getRoomStateWithKey = endpoint({
  id: 'getRoomStateWithKey',
  method: 'GET',
  path: STATE_EVENT,
  access: 'guest',
  params: StateEventParams,
  query: Type.Object({ format: Type.Optional(oneOf(['content', 'event'])) }),
  reply: ObjectSchema,

  async handle({ params, query, requester }, rt) {
    const { roomId, eventType: type, stateKey = '' } = params
    return readStateEvent(rt, requester, { roomId, type, stateKey, isWholeEvent: query.format === 'event' })
  },
})
