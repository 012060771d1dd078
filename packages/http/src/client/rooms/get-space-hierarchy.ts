// SPDX-License-Identifier: Apache-2.0
import { readHierarchy } from '@myelin/services/directory/spaces/hierarchy'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { FlagSchema, RoomIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy */
export const getSpaceHierarchy = endpoint({
  id: 'getSpaceHierarchy',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/:roomId/hierarchy',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({
    suggested_only: Type.Optional(FlagSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    max_depth: Type.Optional(Type.Integer({ minimum: 0 })),
    from: Type.Optional(Type.String()),
  }),
  async handle({ params: { roomId }, query, requester }, rt) {
    const { suggested_only: suggestedOnly = false, limit, max_depth: maxDepth, from } = query
    const { rooms, nextBatch } = await readHierarchy(rt, requester.userId, {
      roomId,
      suggestedOnly,
      limit,
      maxDepth,
      from,
    })
    return { rooms, next_batch: nextBatch }
  },
})
