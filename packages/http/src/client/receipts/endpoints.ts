// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { MARKS, markRead } from '@myelin/services/ephemeral/mark-read'
import type { Mark } from '@myelin/services/ephemeral/mark-read'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import type { AnyEndpoint } from '../../endpoint.ts'
import { EventIdSchema, JsonObjectSchema, RoomIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
export const postReceipt = endpoint({
  id: 'postReceipt',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId',
  access: 'user',
  isAct: true,
  bodyMayBeAbsent: true,
  params: Type.Object({
    roomId: RoomIdSchema,
    receiptType: Type.Union(MARKS.map((kind) => Type.Literal(kind))),
    eventId: EventIdSchema,
  }),
  body: JsonObjectSchema,
  async handle({ params: { roomId, receiptType: kind, eventId }, body, requester }, rt) {
    await markRead(rt, { roomId, userId: requester.userId }, [{ kind, eventId, ...threadIn(body) }])
    return {}
  },
})

/** The spec wants `M_INVALID_PARAM` here, not `M_BAD_JSON`. */
function threadIn(body: JsonObject): Pick<Mark, 'threadId'> {
  const threadId = member(body, 'thread_id')
  if (threadId === undefined) return {}
  if (typeof threadId !== 'string' || threadId === '') {
    throw new MatrixError('M_INVALID_PARAM', 'thread_id must be a non-empty string')
  }
  return { threadId }
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers */
export const setReadMarker = endpoint({
  id: 'setReadMarker',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/read_markers',
  access: 'user',
  isAct: true,
  params: Type.Object({ roomId: RoomIdSchema }),
  body: Type.Object({
    'm.fully_read': Type.Optional(EventIdSchema),
    'm.read': Type.Optional(EventIdSchema),
    'm.read.private': Type.Optional(EventIdSchema),
  }),
  async handle({ params: { roomId }, body, requester }, rt) {
    const marks = MARKS.flatMap((kind) => {
      const eventId = body[kind]
      return eventId === undefined ? [] : [{ kind, eventId }]
    })
    await markRead(rt, { roomId, userId: requester.userId }, marks)
    return {}
  },
})

/** How far users have read. */
export const receiptEndpoints: readonly AnyEndpoint[] = [postReceipt, setReadMarker]
