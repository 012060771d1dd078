// SPDX-License-Identifier: Apache-2.0
import { moderateMember } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { reasonOf, RemovalBody, RoomParams } from './membership-params.ts'

/**
 * Bans a user from a room; redacts their events there where the moderator asks for it and may redact.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidban
 */
export const ban = endpoint({
  id: 'ban',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/ban',
  access: 'user',
  params: RoomParams,
  body: RemovalBody,
  reply: EmptySchema,

  async handle({ params: { roomId }, body, requester: { userId: sender } }, rt) {
    const redactsEvents = body['org.matrix.msc4293.redact_events'] === true
    await moderateMember(rt, { kind: 'ban', roomId, sender, target: body.user_id, redactsEvents }, reasonOf(body))
    return {}
  },
})
