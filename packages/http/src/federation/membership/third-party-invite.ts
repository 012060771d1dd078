// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import { exchangeInvite, takeBinding } from '@myelin/services/federation/membership/third-party-invite'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema, RoomIdSchema, UserIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid */
export const exchangeThirdPartyInvite = endpoint({
  id: 'exchangeThirdPartyInvite',
  method: 'PUT',
  path: '/_matrix/federation/v1/exchange_third_party_invite/:roomId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema }),
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId }, body }, rt) {
    await exchangeInvite(rt, origin, roomId, body)
    return {}
  },
})

/**
 * The spec says PUT, identity servers POST.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind
 */
export const onBindThirdPartyIdentifier = (['PUT', 'POST'] as const).map((method) =>
  endpoint({
    id: 'onBindThirdPartyIdentifier',
    method,
    path: '/_matrix/federation/v1/3pid/onbind',
    access: 'none',
    body: Type.Object({ mxid: UserIdSchema, invites: Type.Array(Type.Unknown()) }),
    async handle({ body }, rt) {
      // What is parsed JSON is JSON all the way down.
      await takeBinding(rt, body.mxid, body.invites as Json[])
      return {}
    },
  }),
)
