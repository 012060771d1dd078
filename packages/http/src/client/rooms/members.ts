// SPDX-License-Identifier: Apache-2.0
import { joinedMembers, joinedRooms, membersAt } from '@myelin/services/reading/members'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomIdSchema } from '../../schemas.ts'

const RoomParams = Type.Object({ roomId: RoomIdSchema })
const Membership = Type.Union(['join', 'invite', 'knock', 'leave', 'ban'].map((name) => Type.Literal(name)))

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers */
export const getMembersByRoom = endpoint({
  id: 'getMembersByRoom',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/members',
  access: 'guest',
  params: RoomParams,
  query: Type.Object({
    at: Type.Optional(Type.String()),
    membership: Type.Optional(Membership),
    not_membership: Type.Optional(Membership),
  }),
  async handle({ params, query, requester }, rt) {
    const { at, membership, not_membership: notMembership } = query
    return { chunk: await membersAt(rt, requester, { roomId: params.roomId, at, membership, notMembership }) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidjoined_members */
export const getJoinedMembersByRoom = endpoint({
  id: 'getJoinedMembersByRoom',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/joined_members',
  access: 'user',
  params: RoomParams,
  async handle({ params, requester }, rt) {
    return { joined: await joinedMembers(rt, requester, params.roomId) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms */
export const getJoinedRooms = endpoint({
  id: 'getJoinedRooms',
  method: 'GET',
  path: '/_matrix/client/v3/joined_rooms',
  access: 'user',
  async handle({ requester }, rt) {
    return { joined_rooms: await joinedRooms(rt, requester) }
  },
})
