// SPDX-License-Identifier: Apache-2.0
import { joinedRoomsOf } from '@myelin/services/moderation/user-records'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns the rooms that a user is joined to.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-joined-rooms-of-a-user
 */
export const synapseGetJoinedRooms = endpoint({
  id: 'synapseGetJoinedRooms',
  method: 'GET',
  path: '/_synapse/admin/v1/users/:userId/joined_rooms',
  access: 'admin',
  params: UserParams,
  reply: Type.Object({ joined_rooms: Type.Array(Type.String()), total: Type.Integer() }),

  async handle({ params: { userId } }, rt) {
    const rooms = await joinedRoomsOf(rt, userId)
    return { joined_rooms: rooms, total: rooms.length }
  },
})
