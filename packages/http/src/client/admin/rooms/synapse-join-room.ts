// SPDX-License-Identifier: Apache-2.0
import { resolveRoom } from '@myelin/services/directory/resolve-room'
import { joinForAdmin } from '@myelin/services/moderation/rooms-for-admins'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { RoomIdReply } from '../../../room-replies.ts'
import { UserIdSchema } from '../../../schemas.ts'
import { RoomOrAliasParams, viaOf, ViaQuery } from '../../membership/membership-params.ts'

/**
 * Joins a user of this server to a room.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/room_membership.html
 */
export const synapseJoinRoom = endpoint({
  id: 'synapseJoinRoom',
  method: 'POST',
  path: '/_synapse/admin/v1/join/:roomIdOrAlias',
  access: 'admin',
  params: RoomOrAliasParams,
  query: ViaQuery,
  body: Type.Object({ user_id: UserIdSchema }),
  reply: RoomIdReply,

  async handle({ params, query, body, requester }, rt) {
    const { roomId, servers } = await resolveRoom(rt, requester.userId, params.roomIdOrAlias)
    await joinForAdmin(rt, requester, body.user_id, { roomId, via: [...viaOf(query), ...servers] })
    return { room_id: roomId }
  },
})
