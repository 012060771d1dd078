// SPDX-License-Identifier: Apache-2.0
import { servePublicRooms } from '@myelin/services/federation/serve/directory'
import { Type } from 'typebox'
import { DirectoryBody, directoryQueryOf } from '../../directory-body.ts'
import { endpoint } from '../../endpoint.ts'

const path = '/_matrix/federation/v1/publicRooms'

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1publicrooms */
export const getFederatedPublicRooms = endpoint({
  id: 'getPublicRooms',
  method: 'GET',
  path,
  access: 'server',
  query: Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
    since: Type.Optional(Type.String()),
    include_all_networks: Type.Optional(Type.Boolean()),
    third_party_instance_id: Type.Optional(Type.String()),
  }),
  handle: ({ query }, rt) => servePublicRooms(rt, directoryQueryOf(query)),
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1publicrooms */
export const queryFederatedPublicRooms = endpoint({
  id: 'queryPublicRooms',
  method: 'POST',
  path,
  access: 'server',
  maxBodyBytes: 65_536,
  body: DirectoryBody,
  handle: ({ body }, rt) => servePublicRooms(rt, directoryQueryOf(body)),
})
