// SPDX-License-Identifier: Apache-2.0
import { stateForAdmin } from '@myelin/services/moderation/rooms-for-admins'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { ClientEventSchema } from '../../../reply-schemas.ts'
import { OptionalText, RoomIdSchema } from '../../../schemas.ts'

/**
 * Returns the current state events of a room, or those of one type.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-state-api
 */
export const synapseGetRoomState = endpoint({
  id: 'synapseGetRoomState',
  method: 'GET',
  path: '/_synapse/admin/v1/rooms/:roomId/state',
  access: 'admin',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({ type: OptionalText }),
  reply: Type.Object({ state: Type.Array(ClientEventSchema) }),

  async handle({ params: { roomId }, query: { type }, requester }, rt) {
    return { state: await stateForAdmin(rt, requester, roomId, type === '' ? undefined : type) }
  },
})
