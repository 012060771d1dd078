// SPDX-License-Identifier: Apache-2.0
import { findRoom } from '@myelin/services/directory/aliases'
import { endpoint } from '../../endpoint.ts'
import { RoomOfAliasReply } from '../../room-replies.ts'
import { ALIAS, AliasParams } from './alias-params.ts'

/**
 * Returns the room of an alias, and servers to join it through.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias
 */
export const getRoomIdByAlias = endpoint({
  id: 'getRoomIdByAlias',
  method: 'GET',
  path: ALIAS,
  access: 'none',
  params: AliasParams,
  reply: RoomOfAliasReply,

  async handle({ params: { roomAlias }, address }, rt) {
    const { roomId, servers } = await findRoom(rt, address, roomAlias)
    return { room_id: roomId, servers }
  },
})
