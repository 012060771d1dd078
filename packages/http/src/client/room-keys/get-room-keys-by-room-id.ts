// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { readSessions } from '@myelin/services/keys/backed-up-sessions'
import { endpoint, Reply } from '../../endpoint.ts'
import { streamed } from '../../reply-schemas.ts'
import { RoomReply, roomText } from './backup-reply.ts'
import { ROOM_KEYS, RoomKeysParams, VersionQuery } from './session-schemas.ts'

/**
 * Returns the keys of a room from a backup.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomid
 */
export const getRoomKeysByRoomId = endpoint({
  id: 'getRoomKeysByRoomId',
  method: 'GET',
  path: ROOM_KEYS,
  access: 'user',
  params: RoomKeysParams,
  query: VersionQuery,
  reply: streamed(RoomReply),

  async handle({ params: { roomId }, query: { version }, requester: { userId: user } }, rt) {
    const pages = await readSessions(rt, { user, version, roomId })
    return new Reply(200, Readable.from(roomText(pages)), { 'content-type': 'application/json' })
  },
})
