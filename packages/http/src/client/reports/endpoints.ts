// SPDX-License-Identifier: Apache-2.0
import { report } from '@myelin/services/moderation/report'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import type { AnyEndpoint } from '../../endpoint.ts'
import { EventIdSchema, RoomIdSchema, UserIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreporteventid */
const reportEvent = endpoint({
  id: 'reportEvent',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/report/:eventId',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema }),
  body: Type.Object({ reason: Type.Optional(Type.String()) }),
  async handle({ params, body, requester }, rt) {
    await report(rt, requester, params, body.reason ?? '')
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreport */
const reportRoom = endpoint({
  id: 'reportRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/report',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema }),
  body: Type.Object({ reason: Type.String() }),
  async handle({ params, body, requester }, rt) {
    await report(rt, requester, params, body.reason)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport */
const reportUser = endpoint({
  id: 'reportUser',
  method: 'POST',
  path: '/_matrix/client/v3/users/:userId/report',
  access: 'user',
  params: Type.Object({ userId: UserIdSchema }),
  body: Type.Object({ reason: Type.String() }),
  async handle({ params, body, requester }, rt) {
    await report(rt, requester, params, body.reason)
    return {}
  },
})

/** How people tell the admins of what should not be. */
export const reportEndpoints: readonly AnyEndpoint[] = [reportEvent, reportRoom, reportUser]
