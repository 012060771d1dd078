// SPDX-License-Identifier: Apache-2.0
import { member } from '@myelin/matrix/json'
import type { ReceiveEdu } from './edu-receiver.ts'
import { memberOfEdu, roomOfEdu } from './room-of-edu.ts'

/** The time for which a remote user counts as typing without a further EDU. */
const BELIEVED_MS = 60_000

/**
 * Records the typing of remote users.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#typing-notifications
 */
export const receiveTyping: ReceiveEdu = async (rt, origin, content) => {
  const roomId = await roomOfEdu(rt, origin, member(content, 'room_id'))
  const userId = roomId && (await memberOfEdu(rt.db.read, origin, roomId, member(content, 'user_id')))
  if (!userId) return
  if (member(content, 'typing') === true) rt.typing.start(roomId, userId, BELIEVED_MS)
  else rt.typing.stop(roomId, userId)
}
