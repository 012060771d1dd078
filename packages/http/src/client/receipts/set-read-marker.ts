// SPDX-License-Identifier: Apache-2.0
import { MARKS, markRead } from '@myelin/services/ephemeral/mark-read'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

/**
 * Moves the requester's fully-read marker of a room, and read receipts with it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers
 */
export const setReadMarker = endpoint({
  id: 'setReadMarker',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/read_markers',
  access: 'user',
  marksActive: true,
  params: Type.Object({ roomId: RoomIdSchema }),
  body: Type.Object({
    'm.fully_read': optionalOrNull(EventIdSchema),
    'm.read': optionalOrNull(EventIdSchema),
    'm.read.private': optionalOrNull(EventIdSchema),
  }),
  reply: EmptySchema,

  async handle({ params: { roomId }, body, requester }, rt) {
    const marks = MARKS.flatMap((kind) => {
      const eventId = body[kind]
      return eventId === undefined ? [] : [{ kind, eventId }]
    })
    await markRead(rt, { roomId, userId: requester.userId }, marks)
    return {}
  },
})
