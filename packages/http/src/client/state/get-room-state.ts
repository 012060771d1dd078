// SPDX-License-Identifier: Apache-2.0
import { readState } from '@myelin/services/reading/room-state'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { RoomIdSchema } from '../../schemas.ts'

/**
 * Returns the current state events of a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstate
 */
export const getRoomState = endpoint({
  id: 'getRoomState',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/state',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  reply: Type.Array(ClientEventSchema),

  handle: async ({ params, requester }, rt) => readState(rt, requester, params.roomId),
})
