// SPDX-License-Identifier: Apache-2.0
import { forget } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { RoomParams } from './membership-params.ts'

/**
 * Removes a room that the requester has left from their history.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget
 */
export const forgetRoom = endpoint({
  id: 'forgetRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/forget',
  access: 'user',
  params: RoomParams,
  reply: EmptySchema,

  async handle({ params, requester }, rt) {
    await forget(rt, requester.userId, params.roomId)
    return {}
  },
})
