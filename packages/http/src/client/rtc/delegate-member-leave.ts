// SPDX-License-Identifier: Apache-2.0
import { TOKEN_SERVICE } from '@myelin/services/calls/rtc-transports'
import { delegateLeaveOfMember } from '@myelin/services/rtc/token-service'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { MEMBER_REQUEST } from './rtc-schemas.ts'

/**
 * Hands over the delayed event by which a member of a call leaves it; an OpenID token proves who the user is.
 *
 * As lk-jwt-service, the token service that this one replaces.
 */
export const delegateMemberLeave = endpoint({
  id: 'delegateMemberLeave',
  method: 'POST',
  path: `${TOKEN_SERVICE}/delegate_delayed_leave`,
  access: 'none',
  body: Type.Object({ ...MEMBER_REQUEST, delay_id: Type.String() }),
  reply: EmptySchema,

  async handle({ body, address }, rt) {
    rt.limits.take('callTokens', address)
    const place = { roomId: body.room_id, slotId: body.slot_id, member: body.member }
    await delegateLeaveOfMember(rt, body.openid_token, place, body.delay_id)
    return {}
  },
})
