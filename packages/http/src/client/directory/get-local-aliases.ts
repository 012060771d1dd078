// SPDX-License-Identifier: Apache-2.0
import { aliasesFor } from '@myelin/services/directory/aliases'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomIdSchema } from '../../schemas.ts'

/**
 * Returns the aliases this server has for a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidaliases
 */
export const getLocalAliases = endpoint({
  id: 'getLocalAliases',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/aliases',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema }),
  reply: Type.Object({ aliases: Type.Array(Type.String()) }),

  handle: async ({ params: { roomId }, requester }, rt) => ({ aliases: await aliasesFor(rt, requester, roomId) }),
})
