// SPDX-License-Identifier: Apache-2.0
import { listedRooms } from '@myelin/services/directory/listed-rooms'
import { Type } from 'typebox'
import { DirectorySearch, directoryQueryOf } from '../../directory-search.ts'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PublicRoomsReply } from '../../room-replies.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Returns a page of this server's room directory, or of another's, that matches a filter.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms
 */
export const queryPublicRooms = endpoint({
  id: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/client/v3/publicRooms',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.document,
  query: Type.Object({ server: OptionalText }),
  body: DirectorySearch,
  reply: PublicRoomsReply,

  async handle({ query, body, requester, address }, rt) {
    rt.limits.takeFor('publicRooms', requester, address)
    return listedRooms(rt, query.server, directoryQueryOf(body))
  },
})
