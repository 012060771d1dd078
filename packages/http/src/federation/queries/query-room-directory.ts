// SPDX-License-Identifier: Apache-2.0
import { serveAlias } from '@myelin/services/federation/serve/directory'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomOfAliasReply } from '../../room-replies.ts'

/**
 * Returns the room of an alias of this server, and servers to join it through.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory
 */
export const queryRoomDirectory = endpoint({
  id: 'queryRoomDirectory',
  method: 'GET',
  path: '/_matrix/federation/v1/query/directory',
  access: 'server',
  query: Type.Object({ room_alias: Type.String() }),
  reply: RoomOfAliasReply,

  async handle({ query }, rt) {
    const { roomId, servers } = await serveAlias(rt, query.room_alias)
    return { room_id: roomId, servers }
  },
})
