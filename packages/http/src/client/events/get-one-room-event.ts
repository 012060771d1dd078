// SPDX-License-Identifier: Apache-2.0
import { readEvent } from '@myelin/services/reading/messages'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { EventParams } from './event-params.ts'

/**
 * Returns one event of a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid
 */
export const getOneRoomEvent = endpoint({
  id: 'getOneRoomEvent',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/event/:eventId',
  access: 'guest',
  params: EventParams,
  reply: ClientEventSchema,

  handle: async ({ params, requester }, rt) => readEvent(rt, requester, params.roomId, params.eventId),
})
