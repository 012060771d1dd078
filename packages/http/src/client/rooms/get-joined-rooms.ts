// SPDX-License-Identifier: Apache-2.0
import { joinedRooms } from '@myelin/services/reading/members'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns the ids of the rooms the requester has joined.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms
 */
export const getJoinedRooms = endpoint({
  id: 'getJoinedRooms',
  method: 'GET',
  path: '/_matrix/client/v3/joined_rooms',
  access: 'guest',
  reply: Type.Object({ joined_rooms: Type.Array(Type.String()) }),

  handle: async ({ requester }, rt) => ({ joined_rooms: await joinedRooms(rt, requester) }),
})
