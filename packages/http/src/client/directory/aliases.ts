// SPDX-License-Identifier: Apache-2.0
import { aliasesFor, findRoom, nameRoom, unnameRoom } from '@myelin/services/directory/aliases'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomIdSchema } from '../../schemas.ts'

const path = '/_matrix/client/v3/directory/room/:roomAlias'
const params = Type.Object({ roomAlias: Type.String() })

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias */
export const setRoomAlias = endpoint({
  id: 'setRoomAlias',
  method: 'PUT',
  path,
  access: 'user',
  params,
  body: Type.Object({ room_id: RoomIdSchema }),
  async handle({ params: { roomAlias }, body, requester }, rt) {
    await nameRoom(rt, requester, roomAlias, body.room_id)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias */
export const getRoomIdByAlias = endpoint({
  id: 'getRoomIdByAlias',
  method: 'GET',
  path,
  access: 'none',
  params,
  async handle({ params: { roomAlias } }, rt) {
    const { roomId, servers } = await findRoom(rt, roomAlias)
    return { room_id: roomId, servers }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias */
export const deleteRoomAlias = endpoint({
  id: 'deleteRoomAlias',
  method: 'DELETE',
  path,
  access: 'user',
  params,
  async handle({ params: { roomAlias }, requester }, rt) {
    await unnameRoom(rt, requester, roomAlias)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidaliases */
export const getLocalAliases = endpoint({
  id: 'getLocalAliases',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/aliases',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema }),
  async handle({ params: { roomId }, requester }, rt) {
    return { aliases: await aliasesFor(rt, requester, roomId) }
  },
})
