// SPDX-License-Identifier: Apache-2.0
import { exchangeInvite } from '@myelin/services/federation/membership/third-party-invite'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema, RoomIdSchema } from '../../schemas.ts'

/**
 * Replaces a third-party invite of a room by an invite of the user it was for.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid
 */
export const exchangeThirdPartyInvite = endpoint({
  id: 'exchangeThirdPartyInvite',
  method: 'PUT',
  path: '/_matrix/federation/v1/exchange_third_party_invite/:roomId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: Type.Object({ roomId: RoomIdSchema }),
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ origin, params: { roomId }, body }, rt) {
    await exchangeInvite(rt, origin, roomId, body)
    return {}
  },
})
