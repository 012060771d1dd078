// SPDX-License-Identifier: Apache-2.0
import { listedRooms } from '@myelin/services/directory/listed-rooms'
import { directoryVisibility, setDirectoryVisibility } from '@myelin/services/directory/visibility'
import { Type } from 'typebox'
import { DirectoryBody, directoryQueryOf } from '../../directory-body.ts'
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
  handle: ({ query: { server, ...query } }, rt) => listedRooms(rt, server, query),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3publicrooms */
export const queryPublicRooms = endpoint({
  id: 'queryPublicRooms',
  method: 'POST',
  path: '/_matrix/client/v3/publicRooms',
  access: 'guest',
  maxBodyBytes: 65_536,
  query: Type.Object({ server: Text }),
  body: DirectoryBody,
  handle: ({ query, body }, rt) => listedRooms(rt, query.server, directoryQueryOf(body)),
})
