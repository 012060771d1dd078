// SPDX-License-Identifier: Apache-2.0
import { readEvent } from '@myelin/services/reading/messages'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { EventParams } from './event-params.ts'

const UNREDACTED = 'fi.mau.msc2815.include_unredacted_content'

/**
 * Returns one event of a room; with the parameter of MSC2815 also the content of a redacted one, for those who may redact.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomideventeventid
 */
export const getOneRoomEvent = endpoint({
  id: 'getOneRoomEvent',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/event/:eventId',
  access: 'guest',
  params: EventParams,
  query: Type.Object({ [UNREDACTED]: Type.Optional(Type.Boolean()) }),
  reply: ClientEventSchema,

  handle: async ({ params, query, requester }, rt) =>
    readEvent(rt, requester, params.roomId, params.eventId, query[UNREDACTED]),
})
