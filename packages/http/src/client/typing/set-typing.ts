// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { setTyping as updateTyping } from '@myelin/services/ephemeral/set-typing'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { RoomIdSchema, OptionalInteger } from '../../schemas.ts'

/**
 * Sets whether the requester is typing in a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid
 */
export const setTyping = endpoint({
  id: 'setTyping',
  method: 'PUT',
  path: '/_matrix/client/v3/rooms/:roomId/typing/:userId',
  access: 'user',
  marksActive: true,
  params: Type.Object({ roomId: RoomIdSchema, userId: Type.String() }),
  body: Type.Object({ typing: Type.Boolean(), timeout: OptionalInteger }),
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    const userId = ownUser(requester, params.userId)
    await updateTyping(rt, { roomId: params.roomId, userId, isTyping: body.typing, timeoutMs: body.timeout })
    return {}
  },
})
