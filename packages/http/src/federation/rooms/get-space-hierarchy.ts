// SPDX-License-Identifier: Apache-2.0
import { serveHierarchy } from '@myelin/services/federation/serve/hierarchy'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { FlagSchema, RoomIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid */
export const getFederatedHierarchy = endpoint({
  id: 'getSpaceHierarchy',
  method: 'GET',
  path: '/_matrix/federation/v1/hierarchy/:roomId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema }),
  query: Type.Object({ suggested_only: Type.Optional(FlagSchema) }),
  handle: ({ origin, params: { roomId }, query }, rt) =>
    serveHierarchy(rt, { origin, roomId, suggestedOnly: query.suggested_only ?? false }),
})
