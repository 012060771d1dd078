// SPDX-License-Identifier: Apache-2.0
import { publicRooms } from '@myelin/services/directory/public-rooms'
import { directoryVisibility, setDirectoryVisibility } from '@myelin/services/directory/visibility'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomIdSchema } from '../../schemas.ts'

const LISTED = '/_matrix/client/v3/directory/list/room/:roomId'
const RoomParams = Type.Object({ roomId: RoomIdSchema })
const Limit = Type.Optional(Type.Integer({ minimum: 0 }))
const Text = Type.Optional(Type.String())

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid */
export const getRoomVisibilityOnDirectory = endpoint({
  id: 'getRoomVisibilityOnDirectory',
  method: 'GET',
  path: LISTED,
  access: 'none',
  params: RoomParams,
  async handle({ params: { roomId } }, rt) {
    return { visibility: await directoryVisibility(rt, roomId) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid */
export const setRoomVisibilityOnDirectory = endpoint({
  id: 'setRoomVisibilityOnDirectory',
  method: 'PUT',
  path: LISTED,
  access: 'user',
  bodyMayBeAbsent: true,
  params: RoomParams,
  body: Type.Object({ visibility: Type.Optional(Type.Union([Type.Literal('public'), Type.Literal('private')])) }),
  async handle({ params: { roomId }, body: { visibility = 'public' }, requester }, rt) {
    await setDirectoryVisibility(rt, requester, roomId, visibility)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms */
export const getPublicRooms = endpoint({
  id: 'getPublicRooms',
  method: 'GET',
  path: '/_matrix/client/v3/publicRooms',
  access: 'none',
  query: Type.Object({ limit: Limit, since: Text, server: Text }),
  handle: ({ query }, rt) => publicRooms(rt, query),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms */
export const queryPublicRooms = endpoint({
  id: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/client/v3/publicRooms',
  access: 'guest',
  maxBodyBytes: 65_536,
  query: Type.Object({ server: Text }),
  body: Type.Object({
    limit: Limit,
    since: Text,
    filter: Type.Optional(
      Type.Object({
        generic_search_term: Text,
        room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
      }),
    ),
    include_all_networks: Type.Optional(Type.Boolean()),
    third_party_instance_id: Text,
  }),
  async handle({ query, body }, rt) {
    return publicRooms(rt, {
      server: query.server,
      limit: body.limit,
      since: body.since,
      term: body.filter?.generic_search_term,
      roomTypes: body.filter?.room_types,
      network: body.include_all_networks === true ? undefined : body.third_party_instance_id,
    })
  },
})
