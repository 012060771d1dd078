// SPDX-License-Identifier: Apache-2.0
import { readEventById } from '@myelin/services/reading/messages'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { EventIdSchema } from '../../schemas.ts'

/**
 * Returns one event of any room that the requester may read.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3eventseventid
 */
export const getOneEvent = endpoint({
  id: 'getOneEvent',
  method: 'GET',
  path: '/_matrix/client/v3/events/:eventId',
  access: 'user',
  params: Type.Object({ eventId: EventIdSchema }),
  reply: ClientEventSchema,

  handle: async ({ params, requester }, rt) => readEventById(rt, requester, params.eventId),
})
