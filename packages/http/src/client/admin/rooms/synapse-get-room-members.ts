// SPDX-License-Identifier: Apache-2.0
import { membersForAdmin } from '@myelin/services/moderation/rooms-for-admins'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { RoomIdSchema } from '../../../schemas.ts'

/**
 * Returns the joined members of a room.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-members-api
 */
export const synapseGetRoomMembers = endpoint({
  id: 'synapseGetRoomMembers',
  method: 'GET',
  path: '/_synapse/admin/v1/rooms/:roomId/members',
  access: 'admin',
  params: Type.Object({ roomId: RoomIdSchema }),
  reply: Type.Object({ members: Type.Array(Type.String()), total: Type.Integer() }),

  async handle({ params: { roomId } }, rt) {
    const members = await membersForAdmin(rt, roomId)
    return { members, total: members.length }
  },
})
