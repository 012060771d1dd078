// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { sendEvent } from '@myelin/services/rooms/send-event'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema, JsonObjectSchema, RoomIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid */
export const sendMessage = endpoint({
  id: 'sendMessage',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId',
  access: 'user',
  isAct: true,
  bodyIsCanonical: true,
  params: Type.Object({ roomId: RoomIdSchema, eventType: Type.String(), txnId: Type.String() }),
  body: JsonObjectSchema,
  async handle({ params: { roomId, eventType: type, txnId }, body: content, requester }, rt) {
    if (type === 'm.room.member') throw new MatrixError('M_BAD_JSON', 'memberships are state')
    const redacts = type === 'm.room.redaction' ? stringMember(content, 'redacts') : undefined
    const { userId: sender, deviceId } = requester
    const draft = { roomId, sender, type, content, transaction: { deviceId, txnId } }
    const event = redacts === undefined ? draft : { ...draft, redacts: redacts as EventId }
    return { event_id: await sendEvent(rt, event) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid */
export const redactEvent = endpoint({
  id: 'redactEvent',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
  access: 'user',
  isAct: true,
  bodyMayBeAbsent: true,
  bodyIsCanonical: true,
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema, txnId: Type.String() }),
  body: Type.Object({ reason: Type.Optional(Type.String()) }),
  async handle({ params: { roomId, eventId, txnId }, body, requester }, rt) {
    const content = body.reason === undefined ? {} : { reason: body.reason }
    const { userId: sender, deviceId } = requester
    const transaction = { deviceId, txnId }
    const draft = { roomId, sender, type: 'm.room.redaction', content, redacts: eventId, transaction }
    return { event_id: await sendEvent(rt, draft) }
  },
})
