// SPDX-License-Identifier: Apache-2.0
import { TOKEN_SERVICE } from '@myelin/services/calls/rtc-transports'
import { deviceToken } from '@myelin/services/rtc/token-service'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomIdSchema } from '../../schemas.ts'
import { DELEGATION_MEMBERS, delegationOf, OpenIdTokenSchema, SfuReply } from './rtc-schemas.ts'

/**
 * Returns the SFU and a token for it to a client that proves by an OpenID token who its user is.
 *
 * As lk-jwt-service, the token service that this one replaces.
 */
export const getSfuAccess = endpoint({
  id: 'getSfuAccess',
  method: 'POST',
  path: `${TOKEN_SERVICE}/sfu/get`,
  access: 'none',
  body: Type.Object({
    room: RoomIdSchema,
    device_id: Type.String({ minLength: 1, maxLength: 255 }),
    openid_token: OpenIdTokenSchema,
    ...DELEGATION_MEMBERS,
  }),
  reply: SfuReply,

  async handle({ body, address }, rt) {
    rt.limits.take('callTokens', address)
    const place = { roomId: body.room, deviceId: body.device_id }
    return deviceToken(rt, body.openid_token, place, delegationOf(body))
  },
})
