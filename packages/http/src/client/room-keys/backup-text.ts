// SPDX-License-Identifier: Apache-2.0
import { encodeJson } from '@myelin/kit/raw-json'
import type { BackupSession } from '@myelin/services/keys/backed-up-sessions'
import { sessionBody } from './session-schemas.ts'

type Pages = AsyncIterable<readonly BackupSession[]>

/** The JSON of all rooms of a backup, piece by piece: a backup may be larger than what one wants to hold. */
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

/** The JSON of one room of a backup, piece by piece. */
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
  return `${JSON.stringify(session.sessionId)}:${encodeJson(sessionBody(session))}`
}
