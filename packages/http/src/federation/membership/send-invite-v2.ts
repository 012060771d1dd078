// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import { takeInvite } from '@myelin/services/federation/membership/take-invite'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { InviteParams } from './membership-params.ts'

/**
 * Accepts an invite for a user of this server, and returns it with this server's signature.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 */
export const sendInviteV2 = endpoint({
  id: 'sendInviteV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/invite/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  params: InviteParams,
  body: Type.Object({
    room_version: Type.String(),
    event: JsonObjectSchema,
    invite_room_state: Type.Optional(Type.Unknown()),
  }),
  reply: Type.Object({ event: PduSchema }),

  async handle({ origin, params: { roomId, eventId }, body }, rt) {
    // A value in parsed JSON is JSON.
    const roomState = body.invite_room_state as Json | undefined
    const json = body.event
    return { event: await takeInvite(rt, { origin, roomId, eventId, roomVersion: body.room_version, json, roomState }) }
  },
})
