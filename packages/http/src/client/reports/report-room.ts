// SPDX-License-Identifier: Apache-2.0
import { report } from '@myelin/services/moderation/report'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { RoomIdSchema } from '../../schemas.ts'

/**
 * Reports a room to the server admins.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreport
 */
export const reportRoom = endpoint({
  id: 'reportRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/report',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema }),
  body: Type.Object({ reason: Type.String() }),
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await report(rt, requester, params, body.reason)
    return {}
  },
})
