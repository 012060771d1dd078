// SPDX-License-Identifier: Apache-2.0
import { member, objectMember } from '@myelin/matrix/json'
import { takeInvite } from '@myelin/services/federation/membership/take-invite'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { InviteParams } from './membership-params.ts'

/**
 * Accepts an invite to a room of version 1 or 2, like {@link sendInviteV2}.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1inviteroomideventid
 */
export const sendInviteV1 = endpoint({
  id: 'sendInviteV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/invite/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  params: InviteParams,
  body: JsonObjectSchema,
  reply: Type.Tuple([Type.Literal(200), Type.Object({ event: PduSchema })]),

  async handle({ origin, params: { roomId, eventId }, body: json }, rt) {
    const roomState = member(objectMember(json, 'unsigned') ?? {}, 'invite_room_state')
    // Events of versions 1 and 2 have the same format.
    const event = await takeInvite(rt, { origin, roomId, eventId, roomVersion: '1', json, roomState })
    return [200, { event }] as const
  },
})
