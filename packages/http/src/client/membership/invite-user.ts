// SPDX-License-Identifier: Apache-2.0
import { inviteUser as invite } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { reasonOf, RoomParams, TargetBody } from './membership-params.ts'

/**
 * Invites a user to a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite
 */
export const inviteUser = endpoint({
  id: 'inviteUser',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/invite',
  access: 'user',
  params: RoomParams,
  body: TargetBody,
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await invite(rt, { roomId: params.roomId, sender: requester.userId, target: body.user_id }, reasonOf(body))
    return {}
  },
})
