// SPDX-License-Identifier: Apache-2.0
import { moderateMember } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { reasonOf, RoomParams, TargetBody } from './membership-params.ts'

/**
 * Bans a user from a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidban
 */
export const ban = endpoint({
  id: 'ban',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/ban',
  access: 'user',
  params: RoomParams,
  body: TargetBody,
  reply: EmptySchema,

  async handle({ params: { roomId }, body, requester: { userId: sender } }, rt) {
    await moderateMember(rt, { kind: 'ban', roomId, sender, target: body.user_id }, reasonOf(body))
    return {}
  },
})
