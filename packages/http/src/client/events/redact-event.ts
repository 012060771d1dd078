// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { sendEvent } from '@myelin/services/rooms/send-event'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EventIdReply } from '../../room-replies.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'
import { EventModifiers, refuseModifiers } from './event-modifiers.ts'

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
    refuseRelated(body)
    const content = body.reason === undefined ? {} : { reason: body.reason }
    const { userId: sender, deviceId } = requester
    const transaction = { deviceId, txnId }
    const draft = { roomId, sender, type: 'm.room.redaction', content, redacts: eventId, transaction }
    return { event_id: await sendEvent(rt, draft) }
  },
})

interface RelatedEvents {
  readonly with_rel_types?: readonly string[]
  readonly 'org.matrix.msc3912.with_relations'?: readonly string[]
}

/**
 * Refuses to redact related events as well: redacting the event alone would leave visible what the user wants removed.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3912
 */
function refuseRelated(body: RelatedEvents): void {
  if (body.with_rel_types?.length || body['org.matrix.msc3912.with_relations']?.length) {
    throw new MatrixError('M_UNRECOGNIZED', 'redacting related events is not supported', { status: 400 })
  }
}
