// SPDX-License-Identifier: Apache-2.0
import { TOKEN_SERVICE } from '@myelin/services/calls/rtc-transports'
import { memberToken } from '@myelin/services/rtc/token-service'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DELEGATION_MEMBERS, delegationOf, MEMBER_REQUEST, SfuReply } from './rtc-schemas.ts'

/**
 * Returns the SFU and a token for it to a member of a call that proves by an OpenID token who its user is.
 *
 * As lk-jwt-service, the token service that this one replaces.
 */
export const getMemberToken = endpoint({
  id: 'getMemberToken',
  method: 'POST',
  path: `${TOKEN_SERVICE}/get_token`,
  access: 'none',
  body: Type.Object({ ...MEMBER_REQUEST, ...DELEGATION_MEMBERS }),
  reply: SfuReply,

  async handle({ body, address }, rt) {
    rt.limits.take('callTokens', address)
    const place = { roomId: body.room_id, slotId: body.slot_id, member: body.member }
    return memberToken(rt, body.openid_token, place, delegationOf(body))
  },
})
