// SPDX-License-Identifier: Apache-2.0
import { joinRoom } from '@myelin/services/rooms/membership'
import { endpoint } from '../../endpoint.ts'
import { RoomIdReply } from '../../room-replies.ts'
import { ReasonBody, reasonOf, RoomParams, viaOf, ViaQuery } from './membership-params.ts'

/**
 * Joins a room by id.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin
 */
export const joinRoomById = endpoint({
  id: 'joinRoomById',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/join',
  access: 'guest',
  bodyMayBeAbsent: true,
  params: RoomParams,
  query: ViaQuery,
  body: ReasonBody,
  reply: RoomIdReply,

  async handle({ params, query, body, requester }, rt) {
    await joinRoom(rt, requester.userId, params.roomId, { ...reasonOf(body), via: viaOf(query) })
    return { room_id: params.roomId }
  },
})
