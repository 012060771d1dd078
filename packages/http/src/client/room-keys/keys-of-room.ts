// SPDX-License-Identifier: Apache-2.0
import { readSessions, removeSessions, storeSessions } from '@myelin/services/keys/backed-up-sessions'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { endpoint, Reply } from '../../endpoint.ts'
import { roomText } from './backup-text.ts'
import { RoomKeySchema, RoomSchema, sessionsFrom, VersionQuery } from './session-schemas.ts'

const path = '/_matrix/client/v3/room_keys/keys/:roomId'
const params = Type.Object({ roomId: RoomKeySchema })

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomid */
export const putRoomKeysByRoomId = endpoint({
  id: 'putRoomKeysByRoomId',
  method: 'PUT',
  path,
  access: 'user',
  params,
  query: VersionQuery,
  body: RoomSchema,

  handle: ({ params: { roomId }, query: { version }, body, requester: { userId: user } }, rt) =>
    storeSessions(rt, { user, version }, sessionsFrom(roomId, body)),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomid */
export const getRoomKeysByRoomId = endpoint({
  id: 'getRoomKeysByRoomId',
  method: 'GET',
  path,
  access: 'user',
  params,
  query: VersionQuery,

  async handle({ params: { roomId }, query: { version }, requester: { userId: user } }, rt) {
    const pages = await readSessions(rt, { user, version, roomId })
    return new Reply(200, Readable.from(roomText(pages)), { 'content-type': 'application/json' })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomid */
export const deleteRoomKeysByRoomId = endpoint({
  id: 'deleteRoomKeysByRoomId',
  method: 'DELETE',
  path,
  access: 'user',
  params,
  query: VersionQuery,

  handle: ({ params: { roomId }, query: { version }, requester: { userId: user } }, rt) =>
    removeSessions(rt, { user, version, roomId }),
})
