// SPDX-License-Identifier: Apache-2.0
import { readThreads } from '@myelin/services/reading/threads'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema } from '../../reply-schemas.ts'
import { OptionalText, oneOf, PositiveLimit, RoomIdSchema } from '../../schemas.ts'

const DEFAULT_LIMIT = 50

/**
 * Returns a page of a room's threads, the latest first.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads
 */
export const getThreadRoots = endpoint({
  id: 'getThreadRoots',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/:roomId/threads',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({
    include: Type.Optional(oneOf(['all', 'participated'])),
    from: OptionalText,
    limit: PositiveLimit,
  }),
  reply: Type.Object({ chunk: Type.Array(ClientEventSchema), next_batch: OptionalText }),

  async handle({ params: { roomId }, query, requester }, rt) {
    const isMine = query.include === 'participated'
    return readThreads(rt, requester, { roomId, isMine, from: query.from, limit: query.limit ?? DEFAULT_LIMIT })
  },
})
