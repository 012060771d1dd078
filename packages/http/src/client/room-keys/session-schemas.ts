// SPDX-License-Identifier: Apache-2.0
import type { BackupSession } from '@myelin/services/keys/backed-up-sessions'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { JsonObjectSchema, mapOf } from '../../schemas.ts'

const CountSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** A room id in a path or as the key of an object. */
export const RoomKeySchema = Type.String({ pattern: '^![^\\u0000]*$', maxLength: 255 })
/** The id of a megolm session. */
const SessionIdSchema = Type.String({ pattern: '^[^\\u0000]*$', maxLength: 255 })
/** The version of the backup a request is about. */
export const VersionQuery = Type.Object({ version: Type.String() })

/** The path of all keys of a backup. */
export const BACKUP_KEYS = '/_matrix/client/v3/room_keys/keys'
/** The path of the keys of a room. */
export const ROOM_KEYS = `${BACKUP_KEYS}/:roomId`
/** The parameters of {@link ROOM_KEYS}. */
export const RoomKeysParams = Type.Object({ roomId: RoomKeySchema })
/** The path of the key of a session. */
export const SESSION_KEY = `${ROOM_KEYS}/:sessionId`
/** The parameters of {@link SESSION_KEY}. */
export const SessionKeyParams = Type.Object({ roomId: RoomKeySchema, sessionId: SessionIdSchema })

/** The key of one session. */
export const SessionSchema = Type.Object({
  first_message_index: CountSchema,
  forwarded_count: CountSchema,
  is_verified: Type.Boolean(),
  session_data: JsonObjectSchema,
})
/** The keys of one room. */
export const RoomSchema = Type.Object({ sessions: mapOf(SessionIdSchema, SessionSchema) })

/** Returns the session of a {@link SessionSchema}. */
export function sessionFrom(roomId: string, sessionId: string, body: Static<typeof SessionSchema>): BackupSession {
  return {
    roomId,
    sessionId,
    firstMessageIndex: body.first_message_index,
    forwardedCount: body.forwarded_count,
    isVerified: body.is_verified,
    sessionData: JSON.stringify(body.session_data),
  }
}

/** Returns the sessions of a {@link RoomSchema}. */
export function sessionsFrom(roomId: string, room: Static<typeof RoomSchema>): BackupSession[] {
  return Object.entries(room.sessions).map(([sessionId, body]) => sessionFrom(roomId, sessionId, body))
}
