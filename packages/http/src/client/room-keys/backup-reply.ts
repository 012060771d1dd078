// SPDX-License-Identifier: Apache-2.0
import { encodeJson, RawJson } from '@myelin/kit/raw-json'
import type { BackupSession } from '@myelin/services/keys/backed-up-sessions'
import { Type } from 'typebox'
import { ObjectSchema, recordOf } from '../../reply-schemas.ts'

type Pages = AsyncIterable<readonly BackupSession[]>

/** The backed-up key of a session. */
export const SessionReply = Type.Object({
  first_message_index: Type.Integer(),
  forwarded_count: Type.Integer(),
  is_verified: Type.Boolean(),
  session_data: ObjectSchema,
})
/** The backed-up keys of a room. */
export const RoomReply = Type.Object({ sessions: recordOf(SessionReply) })
/** All keys of a backup. */
export const BackupReply = Type.Object({ rooms: recordOf(RoomReply) })
/** The state of a backup after a change. */
export const BackupStateReply = Type.Object({ etag: Type.String(), count: Type.Integer() })

/** Returns the {@link SessionReply} of a session. */
export function sessionReply(session: BackupSession) {
  return {
    first_message_index: session.firstMessageIndex,
    forwarded_count: session.forwardedCount,
    is_verified: session.isVerified,
    session_data: new RawJson(session.sessionData),
  }
}

/** Yields the JSON of a {@link BackupReply} in pieces, since a backup may be larger than memory allows. */
export async function* backupText(pages: Pages): AsyncGenerator<string> {
  yield '{"rooms":{'
  let room: string | undefined
  for await (const page of pages) {
    let text = ''
    for (const session of page) {
      const isNewRoom = session.roomId !== room
      if (isNewRoom) text += `${room === undefined ? '' : '}},'}${JSON.stringify(session.roomId)}:{"sessions":{`
      text += `${isNewRoom ? '' : ','}${memberText(session)}`
      room = session.roomId
    }
    yield text
  }
  yield room === undefined ? '}}' : '}}}}'
}

/** Yields the JSON of a {@link RoomReply} in pieces. */
export async function* roomText(pages: Pages): AsyncGenerator<string> {
  yield '{"sessions":{'
  let isFirst = true
  for await (const page of pages) {
    yield `${isFirst ? '' : ','}${page.map(memberText).join(',')}`
    isFirst = false
  }
  yield '}}'
}

function memberText(session: BackupSession): string {
  return `${JSON.stringify(session.sessionId)}:${encodeJson(sessionReply(session))}`
}
