// SPDX-License-Identifier: Apache-2.0
import { delegateLeave } from '@myelin/services/rtc/delegate-leave'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { PLACE_MEMBERS, placeOf } from './rtc-schemas.ts'

/**
 * Hands the delayed event by which the requester leaves a call over to the server.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4195
 */
export const delegateDelayedLeave = endpoint({
  id: 'delegateDelayedLeave',
  method: 'POST',
  path: '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/delegate_delayed_leave',
  access: 'guest',
  body: Type.Object({ url: Type.String(), delay_id: Type.String(), ...PLACE_MEMBERS }),
  reply: EmptySchema,

  async handle({ body, requester }, rt) {
    rt.limits.take('callTokens', requester.userId)
    const place = placeOf(body, requester.deviceId)
    await delegateLeave(rt, requester.userId, { ...place, url: body.url, delayId: body.delay_id })
    return {}
  },
})
