// SPDX-License-Identifier: Apache-2.0
import { leaveRoom as leave } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { ReasonBody, reasonOf, RoomParams } from './membership-params.ts'

/**
 * Leaves a room, or rejects an invite to it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidleave
 */
export const leaveRoom = endpoint({
  id: 'leaveRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/leave',
  access: 'guest',
  bodyMayBeAbsent: true,
  params: RoomParams,
  body: ReasonBody,
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await leave(rt, requester.userId, params.roomId, reasonOf(body))
    return {}
  },
})
