// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import type { BackupSession } from '@myelin/services/keys/backed-up-sessions'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { JsonObjectSchema } from '../../schemas.ts'
import { mapOf } from '../keys/key-schemas.ts'

const CountSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** A room id, in a path or as the name of a member. */
export const RoomKeySchema = Type.String({ pattern: '^![^\\u0000]*$', maxLength: 255 })
/** The id of a megolm session. */
export const SessionIdSchema = Type.String({ pattern: '^[^\\u0000]*$', maxLength: 255 })
/** Which backup is meant. */
export const VersionQuery = Type.Object({ version: Type.String() })

/** The key of one session. */
export const SessionSchema = Type.Object({
  first_message_index: CountSchema,
  forwarded_count: CountSchema,
  is_verified: Type.Boolean(),
  session_data: JsonObjectSchema,
})
/** The keys of one room. */
export const RoomSchema = Type.Object({ sessions: mapOf(SessionIdSchema, SessionSchema) })

/** A session's key as it came over the wire. */
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

/** The keys of a room as they came over the wire. */
export function sessionsFrom(roomId: string, room: Static<typeof RoomSchema>): BackupSession[] {
  return Object.entries(room.sessions).map(([sessionId, body]) => sessionFrom(roomId, sessionId, body))
}

/** A session's key as it goes over the wire. */
export function sessionBody(session: BackupSession) {
  return {
    first_message_index: session.firstMessageIndex,
    forwarded_count: session.forwardedCount,
    is_verified: session.isVerified,
    session_data: new RawJson(session.sessionData),
  }
}
