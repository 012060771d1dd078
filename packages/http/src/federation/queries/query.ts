// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serveAlias } from '@myelin/services/federation/serve/directory'
import { serveProfile } from '@myelin/services/federation/serve/profile'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory */
export const queryRoomDirectory = endpoint({
  id: 'queryRoomDirectory',
  method: 'GET',
  path: '/_matrix/federation/v1/query/directory',
  access: 'server',
  query: Type.Object({ room_alias: Type.String() }),
  async handle({ query }, rt) {
    const { roomId, servers } = await serveAlias(rt, query.room_alias)
    return { room_id: roomId, servers }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile */
export const queryProfile = endpoint({
  id: 'queryProfile',
  method: 'GET',
  path: '/_matrix/federation/v1/query/profile',
  access: 'server',
  query: Type.Object({ user_id: UserIdSchema, field: Type.Optional(Type.String()) }),
  handle: ({ query }, rt) => serveProfile(rt, query.user_id, query.field),
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryquerytype */
export const queryInfo = endpoint({
  id: 'queryInfo',
  method: 'GET',
  path: '/_matrix/federation/v1/query/:queryType',
  access: 'server',
  params: Type.Object({ queryType: Type.String() }),
  handle: async ({ params }) => {
    throw new MatrixError('M_NOT_FOUND', `there are no queries of type ${params.queryType}`)
  },
})
