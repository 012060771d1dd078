// SPDX-License-Identifier: Apache-2.0
import { readHierarchy } from '@myelin/services/directory/spaces/hierarchy'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { HierarchyRoom } from '../../room-replies.ts'
import { FlagSchema, OptionalLimit, OptionalText, PositiveLimit, RoomIdSchema } from '../../schemas.ts'

/**
 * Returns a page of the rooms in a space, depth first.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy
 */
export const getSpaceHierarchy = endpoint({
  id: 'getSpaceHierarchy',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/:roomId/hierarchy',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({
    suggested_only: Type.Optional(FlagSchema),
    limit: PositiveLimit,
    max_depth: OptionalLimit,
    from: OptionalText,
  }),
  reply: Type.Object({ rooms: Type.Array(HierarchyRoom), next_batch: OptionalText }),

  async handle({ params: { roomId }, query, requester }, rt) {
    const { suggested_only: suggestedOnly = false, limit, max_depth: maxDepth, from } = query
    const wanted = { roomId, suggestedOnly, limit, maxDepth, from }
    const { rooms, nextBatch } = await readHierarchy(rt, requester.userId, wanted)
    return { rooms, next_batch: nextBatch }
  },
})
