// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { scheduleEvent } from '@myelin/services/rooms/delayed/schedule-event'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { refuseStickyState, stickyDurationIn, StickyModifiers } from '../events/event-modifiers.ts'
import { JsonObjectSchema, OptionalInteger, OptionalText, RoomIdSchema, SafeInteger } from '../../schemas.ts'

/**
 * Schedules an event to be sent after a delay.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export const scheduleDelayedEvent = endpoint({
  id: 'scheduleDelayedEvent',
  method: 'PUT',
  path: '/_matrix/client/unstable/org.matrix.msc4140/rooms/:roomId/delayed_event/:eventType/:txnId',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  params: Type.Object({ roomId: RoomIdSchema, eventType: Type.String(), txnId: Type.String() }),
  query: StickyModifiers,
  body: Type.Object({
    delay_ms: SafeInteger,
    content: JsonObjectSchema,
    state_key: OptionalText,
    sticky_duration_ms: OptionalInteger,
    'org.matrix.msc4354.sticky_duration_ms': OptionalInteger,
  }),
  reply: Type.Object({ delay_id: Type.String() }),

  async handle({ params: { roomId, eventType: type, txnId }, query, body, requester }, rt) {
    const { delay_ms: delayMs, content, state_key: stateKey } = body
    if (type === 'm.room.member' && stateKey === undefined)
      throw new MatrixError('M_BAD_JSON', 'm.room.member must be sent as a state event')
    const stickyMs = stickyDurationIn(body) ?? stickyDurationIn(query)
    if (stateKey !== undefined) refuseStickyState(stickyMs)
    if (stickyMs !== (stickyDurationIn(query) ?? stickyMs))
      throw new MatrixError('M_INVALID_PARAM', '`sticky_duration_ms` differs between the query and the body')
    const event = { roomId, type, stateKey, content, delayMs, stickyMs, txnId }
    return { delay_id: await scheduleEvent(rt, requester, event) }
  },
})
