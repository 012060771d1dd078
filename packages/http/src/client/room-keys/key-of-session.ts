// SPDX-License-Identifier: Apache-2.0
import { readSession, removeSessions, storeSessions } from '@myelin/services/keys/backed-up-sessions'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import {
  RoomKeySchema,
  sessionBody,
  sessionFrom,
  SessionIdSchema,
  SessionSchema,
  VersionQuery,
} from './session-schemas.ts'

const path = '/_matrix/client/v3/room_keys/keys/:roomId/:sessionId'
const params = Type.Object({ roomId: RoomKeySchema, sessionId: SessionIdSchema })

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid */
export const putRoomKeyBySessionId = endpoint({
  id: 'putRoomKeyBySessionId',
  method: 'PUT',
  path,
  access: 'user',
  params,
  query: VersionQuery,
  body: SessionSchema,

  handle: ({ params: { roomId, sessionId }, query: { version }, body, requester: { userId: user } }, rt) =>
    storeSessions(rt, { user, version }, [sessionFrom(roomId, sessionId, body)]),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomidsessionid */
export const getRoomKeyBySessionId = endpoint({
  id: 'getRoomKeyBySessionId',
  method: 'GET',
  path,
  access: 'user',
  params,
  query: VersionQuery,

  handle: async ({ params, query: { version }, requester: { userId: user } }, rt) =>
    sessionBody(await readSession(rt, { user, version, ...params })),
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomidsessionid */
export const deleteRoomKeyBySessionId = endpoint({
  id: 'deleteRoomKeyBySessionId',
  method: 'DELETE',
  path,
  access: 'user',
  params,
  query: VersionQuery,

  handle: ({ params, query: { version }, requester: { userId: user } }, rt) =>
    removeSessions(rt, { user, version, ...params }),
})
