// SPDX-License-Identifier: Apache-2.0
import { joinAnswer } from '@myelin/services/federation/membership/join-answer'
import { makeMembership } from '@myelin/services/federation/membership/make-membership'
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { FlagSchema, JsonObjectSchema, RoomIdSchema, UserIdSchema } from '../../schemas.ts'
import { eventInRoom } from './event-in-room.ts'

/** Who says nothing knows the first room version alone. */
const UNSAID = ['1']

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_joinroomiduserid */
export const makeJoin = endpoint({
  id: 'makeJoin',
  method: 'GET',
  path: '/_matrix/federation/v1/make_join/:roomId/:userId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema, userId: UserIdSchema }),
  query: Type.Object({ ver: Type.Optional(Type.Array(Type.String())) }),
  handle: ({ origin, params: { roomId, userId }, query: { ver: versions = UNSAID } }, rt) =>
    makeMembership(rt, { origin, roomId, userId, membership: 'join', versions }),
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid */
export const sendJoinV2 = endpoint({
  id: 'sendJoinV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/send_join/:roomId/:eventId',
  access: 'server',
  params: eventInRoom,
  query: Type.Object({ omit_members: Type.Optional(FlagSchema) }),
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId }, query, body: json }, rt) {
    const taken = await takeMembership(rt, { origin, roomId, membership: 'join', json })
    const answer = await joinAnswer(rt, taken, query.omit_members ?? false)
    return {
      state: answer.state,
      auth_chain: answer.authChain,
      event: answer.event,
      members_omitted: answer.membersOmitted,
      servers_in_room: answer.serversInRoom,
      // Servers that were written against older versions of the spec ask for it.
      origin: rt.serverName,
    }
  },
})

/** What older servers call where they should know version 2; the spec had it until v1.17. */
export const sendJoinV1 = endpoint({
  id: 'sendJoinV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_join/:roomId/:eventId',
  access: 'server',
  params: eventInRoom,
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId }, body: json }, rt) {
    const taken = await takeMembership(rt, { origin, roomId, membership: 'join', json })
    const { state, authChain, event } = await joinAnswer(rt, taken, false)
    return [200, { state, auth_chain: authChain, event, origin: rt.serverName }]
  },
})
