// SPDX-License-Identifier: Apache-2.0
import { joinAnswer } from '@myelin/services/federation/membership/join-answer'
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { FlagSchema, JsonObjectSchema } from '../../schemas.ts'
import { SignedEventParams } from './membership-params.ts'

/**
 * Accepts a signed join event, and returns the state of the room.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export const sendJoinV2 = endpoint({
  id: 'sendJoinV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/send_join/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: SignedEventParams,
  query: Type.Object({ omit_members: Type.Optional(FlagSchema) }),
  body: JsonObjectSchema,
  reply: Type.Object({
    state: Type.Array(PduSchema),
    auth_chain: Type.Array(PduSchema),
    event: PduSchema,
    members_omitted: Type.Boolean(),
    servers_in_room: Type.Array(Type.String()),
    origin: Type.String(),
  }),

  async handle({ origin, params: { roomId }, query, body: json }, rt) {
    const taken = await takeMembership(rt, { origin, roomId, membership: 'join', json })
    const answer = await joinAnswer(rt, taken, query.omit_members ?? false)
    return {
      state: answer.state,
      auth_chain: answer.authChain,
      event: answer.event,
      members_omitted: answer.membersOmitted,
      servers_in_room: answer.serversInRoom,
      // Required by servers written against older versions of the spec.
      origin: rt.serverName,
    }
  },
})
