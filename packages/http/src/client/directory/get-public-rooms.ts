// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { listedRooms } from '@myelin/services/directory/listed-rooms'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { PublicRoomsReply } from '../../room-replies.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'

/**
 * Returns a page of this server's room directory, or of another's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms
 */
export const getPublicRooms = endpoint({
  id: 'getPublicRooms',
  method: 'GET',
  path: '/_matrix/client/v3/publicRooms',
  access: 'optional',
  query: Type.Object({ limit: OptionalLimit, since: OptionalText, server: OptionalText }),
  reply: PublicRoomsReply,

  async handle({ query: { server, ...query }, requester, address }, rt) {
    if (requester.userId === '' && !rt.config.directory.listsRoomsWithoutToken)
      throw new MatrixError('M_MISSING_TOKEN', 'missing access token')
    rt.limits.takeFor('publicRooms', requester, address)
    return listedRooms(rt, server, query)
  },
})
