// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { scheduleEvent } from '@myelin/services/rooms/delayed/schedule-event'
import { sendEvent } from '@myelin/services/rooms/send-event'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { SentReply } from '../../room-replies.ts'
import { JsonObjectSchema, RoomIdSchema } from '../../schemas.ts'
import { delayIn, EventModifiers, refuseModifiers, stickyDurationIn, timestampIn } from './event-modifiers.ts'

/**
 * Sends a message event to a room, now or after a delay (MSC4140).
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
 */
export const sendMessage = endpoint({
  id: 'sendMessage',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.content,
  marksActive: true,
  bodyIsCanonical: true,
  params: Type.Object({ roomId: RoomIdSchema, eventType: Type.String(), txnId: Type.String() }),
  query: EventModifiers,
  body: JsonObjectSchema,
  reply: SentReply,

  async handle({ params: { roomId, eventType: type, txnId }, query, body: content, requester }, rt) {
    refuseModifiers(query, requester)
    if (type === 'm.room.member') throw new MatrixError('M_BAD_JSON', 'm.room.member must be sent as a state event')
    const delayMs = delayIn(query)
    const stickyMs = stickyDurationIn(query)
    if (delayMs !== undefined) {
      return { delay_id: await scheduleEvent(rt, requester, { roomId, type, content, delayMs, stickyMs, txnId }) }
    }
    const redacts = type === 'm.room.redaction' ? stringMember(content, 'redacts') : undefined
    const { userId: sender, deviceId } = requester
    const sticky = stickyMs === undefined ? {} : { stickyMs }
    const draft = {
      roomId,
      sender,
      type,
      content,
      ...sticky,
      ...timestampIn(query),
      transaction: { deviceId, txnId },
    }
    const event = redacts === undefined ? draft : { ...draft, redacts: redacts as EventId }
    return { event_id: await sendEvent(rt, event) }
  },
})
