// SPDX-License-Identifier: Apache-2.0
import { readSummary } from '@myelin/services/directory/read-summary'
import { Type } from 'typebox'
import { anonymous } from '../../authenticate.ts'
import { endpoint } from '../../endpoint.ts'
import { summaryMembers } from '../../room-replies.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Returns the summary of a room that the requester has joined or may see before joining.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export const getRoomSummary = endpoint({
  id: 'getRoomSummary',
  method: 'GET',
  path: [
    '/_matrix/client/v1/room_summary/:roomIdOrAlias',
    // The paths of MSC3266, which clients used before the operation was in the spec.
    '/_matrix/client/unstable/im.nheko.summary/summary/:roomIdOrAlias',
    '/_matrix/client/unstable/im.nheko.summary/rooms/:roomIdOrAlias/summary',
  ],
  access: 'optional',
  params: Type.Object({ roomIdOrAlias: Type.String() }),
  query: Type.Object({ via: Type.Optional(Type.Array(Type.String())) }),
  reply: Type.Object({ ...summaryMembers, membership: OptionalText }),

  handle: ({ params, query, requester, address }, rt) => {
    const user = requester === anonymous ? undefined : requester.userId
    return readSummary(rt, { user, payer: user ?? address }, params.roomIdOrAlias, query.via ?? [])
  },
})
