// SPDX-License-Identifier: Apache-2.0
import { sendEvent } from '@myelin/services/rooms/send-event'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdReply } from '../../room-replies.ts'
import { EventIdSchema, OptionalText, RoomIdSchema } from '../../schemas.ts'

/**
 * Redacts an event.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 */
export const redactEvent = endpoint({
  id: 'redactEvent',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
  access: 'user',
  marksActive: true,
  bodyMayBeAbsent: true,
  bodyIsCanonical: true,
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema, txnId: Type.String() }),
  body: Type.Object({ reason: OptionalText }),
  reply: EventIdReply,

  async handle({ params: { roomId, eventId, txnId }, body, requester }, rt) {
    const content = body.reason === undefined ? {} : { reason: body.reason }
    const { userId: sender, deviceId } = requester
    const transaction = { deviceId, txnId }
    const draft = { roomId, sender, type: 'm.room.redaction', content, redacts: eventId, transaction }
    return { event_id: await sendEvent(rt, draft) }
  },
})
