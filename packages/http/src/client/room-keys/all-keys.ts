// SPDX-License-Identifier: Apache-2.0
import { readSessions, removeSessions, storeSessions } from '@myelin/services/keys/backed-up-sessions'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { endpoint, Reply } from '../../endpoint.ts'
import { mapOf } from '../keys/key-schemas.ts'
import { backupText } from './backup-text.ts'
import { RoomKeySchema, RoomSchema, sessionsFrom, VersionQuery } from './session-schemas.ts'

const path = '/_matrix/client/v3/room_keys/keys'

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys */
export const putRoomKeys = endpoint({
  id: 'putRoomKeys',
  method: 'PUT',
  path,
  access: 'user',
  query: VersionQuery,
  body: Type.Object({ rooms: mapOf(RoomKeySchema, RoomSchema) }),

  async handle({ query: { version }, body, requester: { userId: user } }, rt) {
    const sessions = Object.entries(body.rooms).flatMap(([roomId, room]) => sessionsFrom(roomId, room))
    return storeSessions(rt, { user, version }, sessions)
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys */
export const getRoomKeys = endpoint({
  id: 'getRoomKeys',
  method: 'GET',
  path,
  access: 'user',
  query: VersionQuery,

  async handle({ query: { version }, requester: { userId: user } }, rt) {
    const pages = await readSessions(rt, { user, version })
    return new Reply(200, Readable.from(backupText(pages)), { 'content-type': 'application/json' })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys */
export const deleteRoomKeys = endpoint({
  id: 'deleteRoomKeys',
  method: 'DELETE',
  path,
  access: 'user',
  query: VersionQuery,

  handle: ({ query: { version }, requester: { userId: user } }, rt) => removeSessions(rt, { user, version }),
})
