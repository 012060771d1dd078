// SPDX-License-Identifier: Apache-2.0
import { report } from '@myelin/services/moderation/report'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { EventIdSchema, OptionalText, RoomIdSchema } from '../../schemas.ts'

/**
 * Reports an event to the server admins.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreporteventid
 */
export const reportEvent = endpoint({
  id: 'reportEvent',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/report/:eventId',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema }),
  body: Type.Object({ reason: OptionalText }),
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await report(rt, requester, params, body.reason ?? '')
    return {}
  },
})
