// SPDX-License-Identifier: Apache-2.0
import { servePublicRooms } from '@myelin/services/federation/serve/directory'
import { Type } from 'typebox'
import { directoryQueryOf } from '../../directory-search.ts'
import { endpoint } from '../../endpoint.ts'
import { PublicRoomsReply } from '../../room-replies.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'

/**
 * Returns a page of this server's room directory.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1publicrooms
 */
export const getPublicRooms = endpoint({
  id: 'getPublicRooms',
  method: 'GET',
  path: '/_matrix/federation/v1/publicRooms',
  access: 'server',
  query: Type.Object({
    limit: OptionalLimit,
    since: OptionalText,
    include_all_networks: Type.Optional(Type.Boolean()),
    third_party_instance_id: OptionalText,
  }),
  reply: PublicRoomsReply,

  handle: ({ query }, rt) => servePublicRooms(rt, directoryQueryOf(query)),
})
