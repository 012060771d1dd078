// SPDX-License-Identifier: Apache-2.0
import { resolveRoom } from '@myelin/services/directory/resolve-room'
import { joinRoom as join } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { RoomIdReply } from '../../room-replies.ts'
import { ReasonBody, reasonOf, RoomOrAliasParams, viaOf, ViaQuery } from './membership-params.ts'

/**
 * Joins a room by id or alias.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias
 */
export const joinRoom = endpoint({
  id: 'joinRoom',
  method: 'POST',
  path: '/_matrix/client/v3/join/:roomIdOrAlias',
  access: 'guest',
  bodyMayBeAbsent: true,
  params: RoomOrAliasParams,
  query: ViaQuery,
  body: ReasonBody,
  reply: RoomIdReply,

  async handle({ params, query, body, requester }, rt) {
    const { roomId, servers } = await resolveRoom(rt, requester.userId, params.roomIdOrAlias)
    await join(rt, requester.userId, roomId, { ...reasonOf(body), via: [...viaOf(query), ...servers] })
    return { room_id: roomId }
  },
})
