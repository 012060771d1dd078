// SPDX-License-Identifier: Apache-2.0
import { serveHierarchy } from '@myelin/services/federation/serve/hierarchy'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { HierarchyRoom, summaryMembers } from '../../room-replies.ts'
import { FlagSchema } from '../../schemas.ts'
import { RoomParams } from './room-params.ts'

/**
 * Returns a space with the rooms in it that the requesting server may see.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid
 */
export const getSpaceHierarchy = endpoint({
  id: 'getSpaceHierarchy',
  method: 'GET',
  path: '/_matrix/federation/v1/hierarchy/:roomId',
  access: 'server',
  params: RoomParams,
  query: Type.Object({ suggested_only: Type.Optional(FlagSchema) }),
  reply: Type.Object({
    room: HierarchyRoom,
    children: Type.Array(Type.Object(summaryMembers)),
    inaccessible_children: Type.Array(Type.String()),
  }),

  handle: ({ origin, params: { roomId }, query }, rt) =>
    serveHierarchy(rt, { origin, roomId, suggestedOnly: query.suggested_only ?? false }),
})
