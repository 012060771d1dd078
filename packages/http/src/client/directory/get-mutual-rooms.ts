// SPDX-License-Identifier: Apache-2.0
import { roomsShared } from '@myelin/services/directory/mutual-rooms'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Returns the rooms that the requester and another user have both joined.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms
 */
export const getMutualRooms = endpoint({
  id: 'getMutualRooms',
  method: 'GET',
  path: '/_matrix/client/v1/mutual_rooms',
  access: 'user',
  query: Type.Object({ user_id: Type.String(), from: OptionalText }),
  reply: Type.Object({ joined: Type.Array(Type.String()), count: Type.Integer(), next_batch: OptionalText }),

  handle: async ({ query, requester }, rt) => roomsShared(rt, requester, query.user_id, query.from),
})
