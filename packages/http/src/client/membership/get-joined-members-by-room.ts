// SPDX-License-Identifier: Apache-2.0
import { joinedMembers } from '@myelin/services/reading/members'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, recordOf } from '../../reply-schemas.ts'
import { RoomParams } from './membership-params.ts'

/**
 * Returns the joined members of a room with their names and avatars.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidjoined_members
 */
export const getJoinedMembersByRoom = endpoint({
  id: 'getJoinedMembersByRoom',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/joined_members',
  access: 'user',
  params: RoomParams,
  reply: Type.Object({
    joined: encodedObject(recordOf(Type.Object({ display_name: Type.Unknown(), avatar_url: Type.Unknown() }))),
  }),

  handle: async ({ params, requester }, rt) => ({ joined: await joinedMembers(rt, requester, params.roomId) }),
})
