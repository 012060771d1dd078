// SPDX-License-Identifier: Apache-2.0
import { knockAnswer } from '@myelin/services/federation/membership/knock-answer'
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { SignedEventParams } from './membership-params.ts'

/**
 * Accepts a signed knock event, and returns the state that knocking users may see.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1send_knockroomideventid
 */
export const sendKnock = endpoint({
  id: 'sendKnock',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_knock/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: SignedEventParams,
  body: JsonObjectSchema,
  reply: Type.Object({ knock_room_state: Type.Array(PduSchema) }),

  async handle({ origin, params: { roomId }, body: json }, rt) {
    const taken = await takeMembership(rt, { origin, roomId, membership: 'knock', json })
    return { knock_room_state: await knockAnswer(rt, taken) }
  },
})
