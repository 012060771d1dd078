// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { MARKS, markRead } from '@myelin/services/ephemeral/mark-read'
import type { Mark } from '@myelin/services/ephemeral/mark-read'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { EventIdSchema, JsonObjectSchema, oneOf, RoomIdSchema } from '../../schemas.ts'

/**
 * Moves a read receipt of the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid
 */
export const postReceipt = endpoint({
  id: 'postReceipt',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId',
  access: 'user',
  marksActive: true,
  bodyMayBeAbsent: true,
  params: Type.Object({ roomId: RoomIdSchema, receiptType: oneOf(MARKS), eventId: EventIdSchema }),
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ params: { roomId, receiptType: kind, eventId }, body, requester }, rt) {
    await markRead(rt, { roomId, userId: requester.userId }, [{ kind, eventId, ...threadIn(body) }])
    return {}
  },
})

// By hand, because the spec wants `M_INVALID_PARAM` here, and a schema gives `M_BAD_JSON`.
function threadIn(body: JsonObject): Pick<Mark, 'threadId'> {
  const threadId = member(body, 'thread_id')
  if (threadId === undefined) return {}
  if (typeof threadId !== 'string' || threadId === '') {
    throw new MatrixError('M_INVALID_PARAM', '`thread_id` must be a non-empty string')
  }
  return { threadId }
}
