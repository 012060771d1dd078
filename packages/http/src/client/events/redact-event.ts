// SPDX-License-Identifier: Apache-2.0
import { redactWithRelated } from '@myelin/services/rooms/redact-related'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EventIdReply } from '../../room-replies.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'
import { EventModifiers, refuseModifiers } from './event-modifiers.ts'

/**
 * Redacts an event, and with `with_relations` of MSC3912 those that relate to it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 */
export const redactEvent = endpoint({
  id: 'redactEvent',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.content,
  marksActive: true,
  bodyMayBeAbsent: true,
  bodyIsCanonical: true,
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema, txnId: Type.String() }),
  query: Type.Pick(EventModifiers, ['ts']),
  body: Type.Object({
    reason: optionalOrNull(Type.String()),
    with_rel_types: optionalOrNull(Type.Array(Type.String())),
    'org.matrix.msc3912.with_relations': optionalOrNull(Type.Array(Type.String())),
  }),
  reply: EventIdReply,

  async handle({ params: { roomId, eventId, txnId }, query, body, requester }, rt) {
    refuseModifiers(query, requester)
    const content = body.reason === undefined ? {} : { reason: body.reason }
    const { userId: sender, deviceId } = requester
    const transaction = { deviceId, txnId }
    const draft = { roomId, sender, type: 'm.room.redaction', content, redacts: eventId, transaction }
    const related = body['org.matrix.msc3912.with_relations'] ?? body.with_rel_types ?? []
    return { event_id: await redactWithRelated(rt, draft, related) }
  },
})
