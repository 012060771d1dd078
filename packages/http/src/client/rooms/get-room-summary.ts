// SPDX-License-Identifier: Apache-2.0
import { readSummary } from '@myelin/services/directory/read-summary'
import { Type } from 'typebox'
import { nobody } from '../../authenticate.ts'
import { endpoint } from '../../endpoint.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias */
export const getRoomSummary = endpoint({
  id: 'getRoomSummary',
  method: 'GET',
  path: [
    '/_matrix/client/v1/room_summary/:roomIdOrAlias',
    // What clients asked before it stood in the spec.
    '/_matrix/client/unstable/im.nheko.summary/summary/:roomIdOrAlias',
    '/_matrix/client/unstable/im.nheko.summary/rooms/:roomIdOrAlias/summary',
  ],
  access: 'optional',
  params: Type.Object({ roomIdOrAlias: Type.String() }),
  query: Type.Object({ via: Type.Optional(Type.Array(Type.String())) }),
  handle: ({ params, query, requester }, rt) =>
    readSummary(rt, requester === nobody ? undefined : requester.userId, params.roomIdOrAlias, query.via ?? []),
})
