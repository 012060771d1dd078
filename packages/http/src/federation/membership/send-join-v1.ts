// SPDX-License-Identifier: Apache-2.0
import { joinAnswer } from '@myelin/services/federation/membership/join-answer'
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { SignedEventParams } from './membership-params.ts'

/** Accepts a signed join event, like version 2 of the operation. The spec had this version until v1.17. */
export const sendJoinV1 = endpoint({
  id: 'sendJoinV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_join/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: SignedEventParams,
  body: JsonObjectSchema,
  reply: Type.Tuple([
    Type.Literal(200),
    Type.Object({
      state: Type.Array(PduSchema),
      auth_chain: Type.Array(PduSchema),
      event: PduSchema,
      origin: Type.String(),
    }),
  ]),

  async handle({ origin, params: { roomId }, body: json }, rt) {
    const taken = await takeMembership(rt, { origin, roomId, membership: 'join', json })
    const { state, authChain, event } = await joinAnswer(rt, taken, false)
    return [200, { state, auth_chain: authChain, event, origin: rt.serverName }] as const
  },
})
