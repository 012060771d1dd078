// SPDX-License-Identifier: Apache-2.0
import { membersAt } from '@myelin/services/reading/members'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { OptionalText, oneOf } from '../../schemas.ts'
import { RoomParams } from './membership-params.ts'

const OptionalMembership = Type.Optional(oneOf(['join', 'invite', 'knock', 'leave', 'ban']))

/**
 * Returns the membership events of a room, now or at a point of its timeline.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers
 */
export const getMembersByRoom = endpoint({
  id: 'getMembersByRoom',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/members',
  access: 'guest',
  params: RoomParams,
  query: Type.Object({ at: OptionalText, membership: OptionalMembership, not_membership: OptionalMembership }),
  reply: Type.Object({ chunk: Type.Array(ClientEventSchema) }),

  async handle({ params, query, requester }, rt) {
    const { at, membership, not_membership: notMembership } = query
    return { chunk: await membersAt(rt, requester, { roomId: params.roomId, at, membership, notMembership }) }
  },
})
